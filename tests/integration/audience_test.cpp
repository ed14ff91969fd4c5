#include "worker/plan/audience.hpp"

#include "tests/support/test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <algorithm>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

/// Ids that every natural language sorts otherwise than their bytes.
const std::vector<std::string> odd_ids{"a",   "B",  "b",    "A",  "ä", "Z",     "z",
                                       "_x",  "10", "9",    "é",  "e", "f",     "a b",
                                       "a-b", "ab", "日本", "-1", "~", "\"q\"", "x,y"};

struct Place {
    const char* name;
    const char* options;
    const char* column = "";
};
void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }

class AudienceTest : public ::testing::TestWithParam<Place> {
protected:
    AudienceTest() : database{GetParam().options}, connection{database.connect()} {
        sql(std::string{"CREATE TABLE follower (channel text, person text"} + GetParam().column +
            ")");
        system.name = "shows";
        Audience audience;
        audience.name = "followers";
        audience.query.sql = "SELECT person AS recipient_id FROM follower WHERE channel = $1::text";
        audience.query.parameters = {"channel"};
        system.audiences.emplace("followers", audience);
        job.job.audience = "followers";
        job.job.params = {{"channel", "ada"}};
        job.system = &system;
    }

    void sql(const std::string& statement) {
        pqxx::nontransaction work{connection->raw()};
        work.exec(statement);
    }
    void follow(const std::vector<std::string>& people) {
        std::string literal{"{"};
        for (const auto& person : people) postgres::append_element(literal, person);
        literal.push_back('}');
        pqxx::nontransaction work{connection->raw()};
        work.exec_params("INSERT INTO follower SELECT 'ada', unnest($1::text[])", literal);
    }
    std::vector<std::string> read(const std::string& cursor = {}, std::size_t fetch = 4) {
        AudienceSnapshot snapshot{*connection};
        AudienceStream stream{snapshot, job, cursor};
        std::vector<std::string> all;
        std::vector<std::string_view> ids;
        for (stream.next(fetch, ids); !ids.empty(); stream.next(fetch, ids)) {
            EXPECT_LE(ids.size(), fetch);
            all.insert(all.end(), ids.begin(), ids.end());
        }
        return all;
    }
    static std::vector<std::string> bytewise(std::vector<std::string> ids) {
        std::sort(ids.begin(), ids.end());
        return ids;
    }

    test::TestDatabase database;
    std::unique_ptr<postgres::Connection> connection;
    System system;
    JobContext job;
};

TEST_P(AudienceTest, ComesSortedByItsBytes) {
    follow(odd_ids);
    EXPECT_THAT(read(), ElementsAreArray(bytewise(odd_ids)));
}

TEST_P(AudienceTest, NamesEveryoneOnceHoweverOftenTheyFollow) {
    auto people = odd_ids;
    for (int i = 0; i < 6; ++i) people.insert(people.end(), odd_ids.begin(), odd_ids.end());
    follow(people);
    EXPECT_THAT(read(), ElementsAreArray(bytewise(odd_ids)));
    EXPECT_THAT(read({}, 1), ElementsAreArray(bytewise(odd_ids)))
        << "repeats over the ends of fetches";
}

TEST_P(AudienceTest, GoesOnJustAfterTheCursor) {
    follow(odd_ids);
    const auto all = bytewise(odd_ids);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::vector<std::string> rest(all.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                            all.end());
        EXPECT_THAT(read(all[i]), ElementsAreArray(rest)) << "after " << all[i];
    }
}

TEST_P(AudienceTest, OfAnExplicitListIsThatList) {
    job.job.audience.clear();
    job.job.recipients = {"b", "a", "B", "a", "x,y", "\"q\"", "\\"};
    EXPECT_THAT(read(), ElementsAre("\"q\"", "B", "\\", "a", "b", "x,y"));
    EXPECT_THAT(read("B"), ElementsAre("\\", "a", "b", "x,y"));
}

TEST_P(AudienceTest, LeavesOutNobodiesAndOthersFollowers) {
    follow({"", "u1"});
    sql("INSERT INTO follower VALUES ('ada', NULL), ('grace', 'u2')");
    EXPECT_THAT(read(), ElementsAre("u1"));
}

TEST_P(AudienceTest, LeavesOutAndCountsIdsThatAreTooLong) {
    const std::string longest(Job::id_bytes_max, 'k');
    std::string letters;  // Few enough, and too many bytes.
    while (letters.size() <= Job::id_bytes_max) letters += "ß";
    follow({"a", std::string(201, 'b'), "c", longest, longest + "x", longest + "y",
            std::string(200'000, 'x'), std::string(200'000, 'x'), "y", letters});
    EXPECT_THAT(read(), ElementsAre("a", "c", longest, "y"));
    std::vector<std::string_view> ids;
    std::vector<std::pair<std::string, std::int64_t>> counts;
    AudienceSnapshot snapshot{*connection};
    {
        AudienceStream stream{snapshot, job, ""};
        for (stream.next(1, ids); !ids.empty(); stream.next(1, ids)) {
            counts.emplace_back(ids.back(), stream.left_out());
        }
        EXPECT_EQ(stream.left_out(), 5) << "the one that stands there twice is one";
    }
    EXPECT_THAT(counts, ElementsAre(std::pair{"a", 0}, std::pair{"c", 1}, std::pair{longest, 1},
                                    std::pair{"y", 4}))
        << "whoever goes on behind one of these counts those that follow, and only those";
    AudienceStream rest{snapshot, job, "c"};
    for (rest.next(9, ids); !ids.empty(); rest.next(9, ids)) continue;
    EXPECT_EQ(rest.left_out(), 4);
}

TEST_P(AudienceTest, AFewAreReadAtOnce) {
    follow({"b", "a", std::string(201, 'x'), "B", "a"});
    AudienceSnapshot snapshot{*connection};
    std::vector<std::string_view> ids;
    AudienceStream all{snapshot, job, std::size_t{6}};
    all.next(6, ids);
    EXPECT_THAT(ids, ElementsAre("B", "a", "b"));
    EXPECT_TRUE(all.is_read());
    all.next(1, ids);
    EXPECT_THAT(ids, IsEmpty());
    EXPECT_EQ(all.left_out(), 1);
    AudienceStream some{snapshot, job, std::size_t{2}};
    some.next(2, ids);
    EXPECT_THAT(ids, ElementsAre("B", "a"));
    EXPECT_FALSE(some.is_read());
    some.next(2, ids);
    EXPECT_THAT(ids, IsEmpty()) << "no others come";
}

TEST_P(AudienceTest, CanBeEmpty) { EXPECT_THAT(read(), IsEmpty()); }

TEST_P(AudienceTest, IsOfOneMoment) {
    follow({"a", "b", "c"});
    AudienceSnapshot snapshot{*connection};
    AudienceStream stream{snapshot, job, ""};
    std::vector<std::string_view> ids;
    stream.next(1, ids);
    {
        const auto other = database.connect();
        pqxx::nontransaction work{other->raw()};
        work.exec("INSERT INTO follower VALUES ('ada', 'aa')");
        work.exec("DELETE FROM follower WHERE person = 'c'");
    }
    stream.next(10, ids);
    EXPECT_THAT(ids, ElementsAre("b", "c"));
}

TEST_P(AudienceTest, TakesNumbersForIds) {
    sql("CREATE TABLE member (id bigint)");
    sql("INSERT INTO member VALUES (9), (10), (100), (9)");
    auto& query = system.audiences.find("followers")->second.query;
    query.sql = "SELECT id AS recipient_id FROM member";
    query.parameters.clear();
    EXPECT_THAT(read(), ElementsAre("10", "100", "9"));
    EXPECT_THAT(read("100"), ElementsAre("9"));
}

TEST_P(AudienceTest, SaysWhenItIsNotConfiguredAnyMore) {
    job.job.audience = "fans";
    AudienceSnapshot snapshot{*connection};
    EXPECT_THROW(AudienceStream(snapshot, job, ""), std::runtime_error);
}

INSTANTIATE_TEST_SUITE_P(
    Collations, AudienceTest,
    ::testing::Values(Place{"C", "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"},
                      Place{"CUtf8", "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"},
                      Place{
                          "Icu",
                          "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8' LOCALE_PROVIDER icu "
                          "ICU_LOCALE 'en-US'"},
                      // lc_collate says C here, and the order is English all the same.
                      Place{"IcuOverC",
                            "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu "
                            "ICU_LOCALE 'en-US'"},
                      Place{"IcuColumnInC", "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'",
                            " COLLATE \"en-x-icu\""}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace fanfare
