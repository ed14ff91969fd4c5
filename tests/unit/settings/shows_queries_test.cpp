// Every query of config/systems/shows on a real PostgreSQL with the tables of that backend.
#include "core/systems/system.hpp"
#include "core/wire/timestamp.hpp"
#include "support.hpp"
#include "tests/support/services.hpp"

#include <fmt/format.h>
#include <pqxx/pqxx>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using testing::environment_of;
using namespace std::chrono_literals;

constexpr const char* tables = R"sql(
CREATE TEMP TABLE users (id varchar PRIMARY KEY, username varchar, email text, phone text,
    locale text, time_zone text);
CREATE TEMP TABLE scheduled_shows (id varchar(255) PRIMARY KEY,
    user_id varchar NOT NULL REFERENCES users ON DELETE CASCADE, title varchar(255),
    description text, scheduled_at timestamp, duration int DEFAULT 60, category varchar(100),
    thumbnail text, status varchar(50) DEFAULT 'scheduled', created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now());
CREATE TEMP TABLE followers (follower_id varchar, followed_id varchar,
    PRIMARY KEY (followed_id, follower_id));
CREATE TEMP TABLE push_tokens (user_id varchar, token text);
INSERT INTO users VALUES ('ann', 'Ann', 'ann@example.com', '+15550001', 'en', 'Europe/Paris'),
    ('bob', 'Bob', NULL, NULL, NULL, NULL), ('cyd', NULL, 'cyd@example.com', NULL, 'de', NULL);
INSERT INTO followers VALUES ('bob', 'ann'), ('cyd', 'ann'), ('ann', 'bob');
INSERT INTO push_tokens VALUES ('cyd', 't1'), ('cyd', 't2');
)sql";

class ShowsQueriesTest : public ::testing::Test {
protected:
    void SetUp() override {
        const char* const url = test::service("FANFARE_TEST_DATABASE_URL");
        if (url == nullptr) GTEST_SKIP() << "FANFARE_TEST_DATABASE_URL is not set";
        auto loaded =
            load_systems(std::string{FANFARE_SOURCE_DIR} + "/config/systems", environment_of({}));
        shows = std::get<Systems>(loaded).at("shows");
        connection.emplace(url);
        // Not in UTC: the queries must not lean on the session's zone.
        pqxx::nontransaction{*connection}.exec("SET TimeZone = 'Asia/Kolkata'");
        pqxx::nontransaction{*connection}.exec(tables);
    }

    // The rows of one query, each as its columns with "|" between.
    std::vector<std::string> rows(const Query& query, const std::string& argument = {}) {
        connection->prepare("query", query.sql);
        pqxx::nontransaction work{*connection};
        const auto result = query.parameters.empty() ? work.exec_prepared("query")
                                                     : work.exec_prepared("query", argument);
        std::vector<std::string> lines;
        for (const auto& row : result) {
            std::string line;
            for (const auto& field : row) {
                line += fmt::format("{}{}", line.empty() ? "" : "|",
                                    field.is_null() ? "-" : field.c_str());
            }
            lines.push_back(line);
        }
        connection->unprepare("query");
        return lines;
    }

    void add_show(const std::string& id, const std::string& after, const std::string& status) {
        pqxx::nontransaction{*connection}.exec(fmt::format(
            "INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status) VALUES "
            "('{}', 'ann', 'Live', now() AT TIME ZONE 'UTC' + interval '{}', '{}')",
            id, after, status));
    }

    std::vector<std::string> due_within(const std::string& horizon) {
        std::vector<std::string> subjects;
        pqxx::nontransaction work{*connection};
        const auto moment =
            work.exec1("SELECT now() + interval '" + horizon + "'")[0].as<std::string>();
        const auto& query = shows.schedules.at(0).query;
        for (const auto& row : work.exec_params(query.sql, moment)) {
            subjects.push_back(row["subject"].as<std::string>());
        }
        return subjects;
    }

    System shows;
    std::optional<pqxx::connection> connection;
};

TEST_F(ShowsQueriesTest, AudiencesAnswer) {
    EXPECT_THAT(rows(shows.find_audience("followers")->query, "ann"),
                ::testing::UnorderedElementsAre("bob", "cyd"));
    EXPECT_EQ(rows(shows.find_audience("everyone")->query).size(), 3U);
}

TEST_F(ShowsQueriesTest, ContactsGiveARowForEveryPerson) {
    const std::string people = "{ann,bob,cyd,gone}";
    EXPECT_THAT(rows(shows.contacts[0]->query, people),
                ::testing::UnorderedElementsAre("ann|ann@example.com|en|Europe/Paris|Ann",
                                                "bob|-|-|-|Bob", "cyd|cyd@example.com|de|-|-"));
    EXPECT_THAT(rows(shows.contacts[1]->query, people),
                ::testing::UnorderedElementsAre("ann|+15550001|en|Europe/Paris|Ann",
                                                "bob|-|-|-|Bob", "cyd|-|de|-|-"));
    EXPECT_THAT(rows(shows.contacts[2]->query, people),
                ::testing::UnorderedElementsAre("ann|-|en|Europe/Paris|Ann", "bob|-|-|-|Bob",
                                                "cyd|t1|de|-|-", "cyd|t2|de|-|-"));
}

TEST_F(ShowsQueriesTest, FindsWhatIsDueWithinTheHorizon) {
    add_show("soon", "5 minutes", "scheduled");
    add_show("later", "70 minutes", "scheduled");
    add_show("far", "80 minutes", "scheduled");
    add_show("begun", "-1 minutes", "scheduled");
    add_show("cancelled", "5 minutes", "cancelled");
    add_show("live", "5 minutes", "live");
    EXPECT_THAT(due_within("1 hour"), ElementsAre("soon", "later"));
    EXPECT_THAT(due_within("0 hours"), ElementsAre("soon"));
}

TEST_F(ShowsQueriesTest, TellsMomentsInUtcAndWhatTheTextNeeds) {
    pqxx::nontransaction{*connection}.exec(
        "INSERT INTO scheduled_shows (id, user_id, title, scheduled_at) VALUES "
        "('s1', 'ann', 'She said \"hi\"', '2099-11-20 19:30:00')");
    const auto& query = shows.schedules.at(0).query;
    pqxx::nontransaction work{*connection};
    const auto result = work.exec_params(
        "SELECT subject, occurrence = '2099-11-20 19:30:00+00', due_at = '2099-11-20 19:15:00+00',"
        " expires_at = occurrence, params, data, pg_typeof(occurrence), pg_typeof(due_at) FROM (" +
            query.sql + ") due",
        "2099-11-20 19:15:00+00");
    ASSERT_EQ(result.size(), 1U);
    const auto row = result[0];
    EXPECT_EQ(row[0].as<std::string>(), "s1");
    for (int column = 1; column <= 3; ++column) EXPECT_EQ(row[column].as<std::string>(), "t");
    EXPECT_EQ(row[4].as<std::string>(), R"({"user_id" : "ann"})");
    EXPECT_EQ(row[5].as<std::string>(),
              R"({"show_id" : "s1", "user_id" : "ann", "username" : "Ann", )"
              R"("title" : "She said \"hi\"", "starts_at" : "2099-11-20T19:30:00.000000Z"})");
    EXPECT_EQ(row[6].as<std::string>(), "timestamp with time zone");
    EXPECT_EQ(row[7].as<std::string>(), "timestamp with time zone");
    EXPECT_TRUE(parse_timestamp("2099-11-20T19:30:00.000000Z").has_value());
}

}  // namespace
}  // namespace fanfare
