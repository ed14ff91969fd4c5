// A program and a ledger that do not fit.
#include "core/ledger/compat.hpp"

#include "core/ledger/first_look.hpp"
#include "core/ledger/migrate.hpp"
#include "core/program/exit_codes.hpp"
#include "tests/support/test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <pqxx/nontransaction>

#include <atomic>
#include <csignal>

namespace fanfare::ledger {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CompatTest : public ::testing::Test {
protected:
    void sql(const std::string& statement) {
        const auto connection = database.connect();
        pqxx::nontransaction work{connection->raw()};
        work.exec(statement);
    }
    std::string why() {
        const auto connection = database.connect();
        return unfitness(*connection);
    }
    void migrate_all() {
        const auto done = migrate(database.url(), FANFARE_SOURCE_DIR "/config/migrations");
        ASSERT_TRUE(done) << describe(done.error());
    }

    test::TestDatabase database;
};

TEST_F(CompatTest, ALedgerWithoutTablesSaysHowToMakeThem) {
    EXPECT_THAT(why(), AllOf(HasSubstr("no tables"), HasSubstr("fanfare db migrate")));
    const auto fit = check_fit(database.url());
    ASSERT_FALSE(fit);
    EXPECT_EQ(fit.error().code, Errc::config_invalid);
    EXPECT_THAT(fit.error().doing, HasSubstr("fanfare db migrate"));
}

TEST_F(CompatTest, ALedgerOfThisProgramFits) {
    migrate_all();
    EXPECT_EQ(why(), "");
    EXPECT_TRUE(check_fit(database.url()));
    sql("INSERT INTO schema_migration (name, checksum) VALUES ('999_later', '')");
    EXPECT_EQ(why(), "") << "a migration that it does not know adds only";
}

TEST_F(CompatTest, AnOlderOneNamesWhatItLacks) {
    migrate_all();
    for (const auto name : {known_migrations().back(), known_migrations().front()}) {
        sql("DELETE FROM schema_migration WHERE name = '" + std::string{name} + "'");
        EXPECT_THAT(why(), AllOf(HasSubstr("older"), HasSubstr(std::string{name}),
                                 HasSubstr("fanfare db migrate")));
    }
}

TEST_F(CompatTest, OneThatIsMarkedIsForOthers) {
    migrate_all();
    sql("UPDATE ledger_compat SET oldest_program = " + std::to_string(program_generation + 1));
    EXPECT_THAT(why(), AllOf(HasSubstr("incompatible"), HasSubstr("fanfare db migrate")));
}

const Secret nowhere{"postgresql://nobody@127.0.0.1:1/x"};

TEST(Compat, ADatabaseThatIsAwayIsWaitedFor) {
    EXPECT_TRUE(check_fit(nowhere));
    int pauses = 0;
    const auto ended = await_fit(nowhere, [&pauses] { return ++pauses < 3; });
    ASSERT_TRUE(ended) << describe(ended.error());
    EXPECT_FALSE(ended.value());
    EXPECT_EQ(pauses, 3);
}

TEST_F(CompatTest, WhoeverIsAskedToEndWhileItLooksEnds) {
    migrate_all();
    Settings settings;
    settings.database.url = database.url();
    boost::asio::io_context loop{1};
    std::atomic<bool> stopping{false};
    boost::asio::post(loop, [] { ASSERT_EQ(std::raise(SIGTERM), 0); });  // The ledger fits at once.
    EXPECT_EQ(wait_for_ledger(settings, loop, stopping), std::optional<int>{exit_ok});
    EXPECT_TRUE(stopping);
}

TEST_F(CompatTest, OneThatComesBackIsLookedAt) {
    migrate_all();
    const auto never = [] { return false; };
    const auto fits = await_fit(database.url(), never);
    ASSERT_TRUE(fits) << describe(fits.error());
    EXPECT_TRUE(fits.value());
    const std::string name{known_migrations().back()};
    sql("DELETE FROM schema_migration WHERE name = '" + name + "'");
    const auto older = await_fit(database.url(), never);
    ASSERT_FALSE(older);
    EXPECT_EQ(older.error().code, Errc::config_invalid);
    EXPECT_THAT(older.error().doing, HasSubstr(name));
    sql("DELETE FROM schema_migration; UPDATE ledger_compat SET oldest_program = 99");
    EXPECT_FALSE(await_fit(database.url(), never)) << "it is for others";
}

}  // namespace
}  // namespace fanfare::ledger
