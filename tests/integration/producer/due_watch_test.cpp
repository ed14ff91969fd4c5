#include "producer/schedule/due_watch.hpp"

#include "database_case.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class DueWatchTest : public testing::LedgerCase {
protected:
    void SetUp() override {
        LedgerCase::SetUp();
        auto& shows = systems.at("shows");
        refresher =
            std::make_unique<Refresher>(Refresher::Parts{*pool, *due_pool, clock, 3600s}, shows);
        watch = std::make_unique<DueWatch>(*refresher, shows.schedules.at(0), clock);
    }
    DueWatch::Look look() { return watch->look().value(); }
    DueWatch::Look look_at(const DueNames& names) { return watch->look_at(names).value(); }
    void look_at_all() { EXPECT_TRUE(look().whole); }
    void query(const std::string& text) {
        systems.at("shows").schedules.at(0).query.sql = text;
        systems.at("shows").schedules.at(0).query.parameters.clear();
    }
    static std::string rows(const std::string& subjects) {
        return "SELECT subject, '2099-01-01Z'::timestamptz AS occurrence, "
               "'2020-01-01Z'::timestamptz AS due_at, NULL::timestamptz AS expires_at, "
               "'{}'::json AS params, '{}'::json AS data FROM (VALUES " +
               subjects + ") v(subject)";
    }

    ManualClock clock{TimePoint{}};
    std::unique_ptr<Refresher> refresher;
    std::unique_ptr<DueWatch> watch;
};

TEST_F(DueWatchTest, RefreshesWhatHasChangedAndNothingElse) {
    for (const auto* const show : {"s1", "s2", "s3"}) add_show(show, "20 minutes");
    look_at_all();
    EXPECT_FALSE(look().report) << "nothing has changed";
    sql("UPDATE scheduled_shows SET title = 'Other' WHERE id = 's1';"
        "DELETE FROM scheduled_shows WHERE id = 's2'");
    add_show("s4", "20 minutes");
    const auto changed = look();
    EXPECT_FALSE(changed.whole);
    ASSERT_TRUE(changed.report);
    EXPECT_EQ(changed.report->rows, 2U) << "s1 and s4";
    EXPECT_EQ(changed.report->tally.found, 1U);
    EXPECT_EQ(changed.report->tally.changed, 1U);
    EXPECT_EQ(changed.report->tally.cancelled, 1U);
    EXPECT_EQ(states(), "s1:scheduled s2:cancelled s3:scheduled s4:scheduled");
}

TEST_F(DueWatchTest, MomentsWithoutZoneAreInUtcWhateverTheSessionIs) {
    query(
        "SELECT 'a' AS subject, '2099-01-01 12:00'::timestamp AS occurrence, "
        "'2020-01-01 12:00'::timestamp AS due_at, NULL::timestamptz AS expires_at, "
        "'{}'::json AS params, '{}'::json AS data");
    sql("DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = %L', current_database(), "
        "'Asia/Kolkata'); END$$");
    look_at_all();
    EXPECT_EQ(ask("SELECT to_char(occurrence AT TIME ZONE 'UTC', 'HH24:MI') FROM notification"),
              "12:00");
    EXPECT_FALSE(look().report) << "nothing has changed";
    // As a session is that a pooler gave: nobody has set anything there.
    postgres::Pool given{url, {.read_only = true}, 1};
    Refresher beside{{*pool, given, clock, 3600s}, systems.at("shows")};
    EXPECT_EQ(beside.refresh(systems.at("shows").schedules.at(0)).value()->tally.found, 0U);
    EXPECT_EQ(states(), "a:scheduled");
}

TEST_F(DueWatchTest, WhatHasChangedIsLookedAtUntilTheNextWholeLook) {
    add_show("s1", "20 minutes");
    add_show("s2", "20 minutes");
    look_at_all();
    sql("DELETE FROM scheduled_shows WHERE id = 's1'");
    EXPECT_EQ(look().report->tally.cancelled, 1U);
    // As if its record had been on the way to the broker: now it was published after all.
    sql("UPDATE notification SET state = 'published' WHERE subject = 's1'");
    EXPECT_EQ(look().report->tally.stopped, 1U);
    sql("UPDATE notification SET state = 'cancelled'");
    EXPECT_EQ(look().report->tally.changed, 0U) << "s2 has not changed where it comes from";
    clock.advance(DueWatch::whole_every);
    const auto whole = look();
    EXPECT_TRUE(whole.whole);
    EXPECT_EQ(whole.report->tally.changed, 1U);
    EXPECT_EQ(states(), "s1:cancelled s2:scheduled");
    EXPECT_FALSE(look().report) << "and s1 is not looked at any more";
}

TEST_F(DueWatchTest, TheHorizonMovesWithTheTime) {
    add_show("later", "75 minutes 5 s");
    look_at_all();
    EXPECT_EQ(states(), "");
    clock.advance(9s);
    advance("9 s");
    const auto found = look();
    EXPECT_FALSE(found.whole);
    ASSERT_TRUE(found.report);
    EXPECT_EQ(found.report->tally.found, 1U);
}

TEST_F(DueWatchTest, WhatAnotherProducerWasAtIsLookedAtAgain) {
    add_show("s1", "20 minutes");
    look_at_all();
    add_show("s2", "20 minutes");
    run([&](postgres::Connection& other) {
        auto held =
            ledger::NotificationRefresh::begin(other, "shows", "show.reminder", 3600s, 60s, clock);
        EXPECT_TRUE(look().not_now);
        return true;
    });
    EXPECT_EQ(look().report->tally.found, 1U);
}

TEST_F(DueWatchTest, AQueryThatFailedIsLookedAtAgain) {
    query(rows("('a')"));
    look_at_all();
    query(rows("('a'), (1/0)"));
    EXPECT_FALSE(watch->look());
    query(rows("('a'), ('b')"));
    EXPECT_EQ(look().report->tally.found, 1U);
}

TEST_F(DueWatchTest, WhoeverIsNamedIsLookedAtAndNobodyElse) {
    query(rows("('a'), ('a:1h'), ('ab'), ('b'), ('b:a')"));
    EXPECT_EQ(look_at({"a", "nobody"}).report->tally.found, 1U);
    EXPECT_EQ(states(), "a:scheduled");
    look_at_all();
    query(rows("('c')"));
    EXPECT_EQ(look_at({"b"}).report->tally.cancelled, 1U);
    EXPECT_EQ(states(), "a:scheduled a:1h:scheduled ab:scheduled b:cancelled b:a:scheduled");
    EXPECT_EQ(look().report->tally.cancelled, 4U);
}

TEST_F(DueWatchTest, ARowWithoutSubjectIsLookedAtWithAllOthers) {
    query(rows("('a'), ('b')"));
    look_at_all();
    query(rows("('a'), (NULL)"));
    const auto done = look();
    EXPECT_TRUE(done.whole);
    EXPECT_EQ(done.report->unusable, 1U);
}

TEST_F(DueWatchTest, ARowWithoutSubjectKeepsWhatItMaySpeakOfWhoeverElseIsLookedAt) {
    query(rows("('a'), ('b')"));
    look_at_all();
    query(rows("(NULL), ('b')"));
    EXPECT_EQ(look_at({"a"}).report->tally.cancelled, 0U) << "it may be a";
    look_at_all();
    query(rows("(NULL)"));
    const auto gone = look();
    EXPECT_FALSE(gone.whole);
    EXPECT_EQ(gone.report->tally.cancelled, 0U) << "or b";
    EXPECT_EQ(states(), "a:scheduled b:scheduled");
}

TEST_F(DueWatchTest, WhoWasNamedAndIsGoneBeforeTheNextLookIsCancelled) {
    query(rows("('a')"));
    look_at_all();
    query(rows("('a'), ('b')"));
    EXPECT_EQ(look_at({"b"}).report->tally.found, 1U);
    query(rows("('a')"));
    EXPECT_EQ(look().report->tally.cancelled, 1U);
}

TEST_F(DueWatchTest, EachColumnCountsWhateverTheirNames) {
    const std::string with_more = "SELECT rows.*, 1 AS d, 2 AS found, 'ann' AS owner FROM (";
    query(with_more + rows("('a')") + ") rows");
    look_at_all();
    EXPECT_FALSE(look().report);
    query(with_more + rows("('a')") + ") rows -- nothing else");
    EXPECT_FALSE(look().report);
    query("SELECT subject, occurrence, due_at, now() AS expires_at, params, data, 1 AS d FROM (" +
          rows("('a')") + ") rows");
    EXPECT_EQ(look().report->tally.changed, 1U);
}

TEST_F(DueWatchTest, OfManyChangesAllIsLookedAt) {
    query(rows("('a')"));
    look_at_all();
    query("SELECT * FROM (" + rows("('a')") +
          ") one UNION ALL SELECT g::text, '2099-01-01Z', '2020-01-01Z', NULL, "
          "'{}', '{}' FROM generate_series(1, " +
          std::to_string(DueWatch::names_max + 1) + ") g");
    const auto done = look();
    EXPECT_TRUE(done.whole);
    EXPECT_EQ(done.report->tally.found, DueWatch::names_max + 1);
    EXPECT_FALSE(look().report);
}

}  // namespace
}  // namespace fanfare
