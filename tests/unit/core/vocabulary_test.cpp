// What libraries and servers say is put into our words: theirs quote what others wrote.
#include "core/kafka/words.hpp"
#include "core/postgres/address.hpp"
#include "core/postgres/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(WordsOfState, SayWhatItMeansAndItsCode) {
    using postgres::words_of_state;
    EXPECT_EQ(words_of_state("22P02", "ERROR:  invalid input syntax for type uuid: \"ada\"\n"),
              "a text does not have the form of the type it is cast to (SQLSTATE 22P02)");
    EXPECT_THAT(words_of_state("22999"), HasSubstr("a value does not fit"));
    EXPECT_THAT(words_of_state("23505"), HasSubstr("duplicate key"));
    EXPECT_THAT(words_of_state("P0001"), HasSubstr("SQLSTATE P0001"));
    EXPECT_EQ(words_of_state("ZZ001"), "the database refused it (SQLSTATE ZZ001)");
    EXPECT_EQ(words_of_state(""), "the database gave no reason");
}

TEST(WordsOfState, PointToALineOfWhatIsNotUnderstoodAndOfNothingElse) {
    using postgres::words_of_state;
    const std::string_view at_line{"ERROR:  column \"ada\" does not exist\nLINE 3: SELECT ada\n"};
    EXPECT_EQ(words_of_state("42703", at_line),
              "names a column that is not there, line 3 (SQLSTATE 42703)");
    EXPECT_THAT(words_of_state("22P02", at_line), Not(HasSubstr("line")));
    EXPECT_EQ(postgres::line_in("ERROR:  x"), 0);
}

TEST(WordsOfRefusal, NameTheCause) {
    using postgres::words_of_refusal;
    EXPECT_EQ(words_of_refusal("connection to server at \"::1\" failed: Connection refused"),
              "nobody listens there");
    EXPECT_EQ(words_of_refusal("FATAL:  password authentication failed for user \"ada\""),
              "the user or the password is refused");
    EXPECT_EQ(words_of_refusal("FATAL:  database \"ada\" does not exist"),
              "there is no such user or database");
    EXPECT_EQ(words_of_refusal("could not translate host name \"ada\" to address: no"),
              "its host's name is unknown");
    EXPECT_EQ(words_of_refusal("ada"), "it cannot be reached");
}

TEST(Address, IsReadWithoutThePassword) {
    const auto url =
        postgres::parse_address(Secret{"postgresql://u:hush@db.example.com:6432/ledger"});
    EXPECT_EQ(url.text(), "db.example.com:6432/ledger");
    EXPECT_TRUE(url.is_remote);
    const auto words = postgres::parse_address(Secret{"host=h1,h2 dbname=x sslmode=verify-full"});
    EXPECT_EQ(words.host, "h1");
    EXPECT_EQ(words.sslmode, "verify-full");
    EXPECT_FALSE(postgres::parse_address(Secret{"host=/run/postgresql dbname=x"}).is_remote);
    EXPECT_FALSE(postgres::parse_address(Secret{"postgresql://u@localhost/x"}).is_remote);
    EXPECT_TRUE(postgres::parse_address(Secret{"host=localhost,db2 dbname=x"}).is_remote);
    EXPECT_TRUE(postgres::parse_address(Secret{"host=127.0.0.1.example.com dbname=x"}).is_remote);
    EXPECT_FALSE(postgres::parse_address(Secret{"host=127.9.9.9,::1 dbname=x"}).is_remote);
    EXPECT_EQ(postgres::parse_address(Secret{"no such thing = ="}).database, "");
    const auto empty = postgres::parse_address(Secret{"host= password=hush dbname= password=hush"});
    EXPECT_EQ(empty.text(), "(not shown):5432/(not shown)") << "libpq's reading of an empty value";
    EXPECT_TRUE(empty.is_remote);
}

TEST(WordsOfKafka, LeaveOutWhatIsQuotedAndWhatABrokerSaysOfALogin) {
    using kafka::own_words;
    EXPECT_EQ(own_words("broker-1:9092/1: Connect to ipv4#10.0.0.1:9092 failed: refused"),
              "broker-1:9092/1: Connect to ipv4#10.0.0.1:9092 failed: refused");
    EXPECT_EQ(own_words("Invalid value \"hush\" for configuration property \"acks\""),
              "Invalid value (...) for configuration property (...)");
    EXPECT_EQ(own_words("Topic 'ada@example.com' and `it's': the client's own"),
              "Topic (...) and (...)s': the client's own");
    EXPECT_EQ(own_words("SASL authentication error: user ada@example.com is unknown"),
              "SASL authentication error:");
    EXPECT_EQ(own_words("never closed \"ada"), "never closed (...)");
    EXPECT_EQ(own_words("a\x1b[2J\nb"), "a [2J b");
    EXPECT_LE(own_words(std::string(5'000, 'x')).size(), 300U);
}

}  // namespace
}  // namespace fanfare
