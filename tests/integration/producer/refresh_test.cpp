#include "producer/schedule/refresh.hpp"

#include "database_case.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class RefreshTest : public testing::LedgerCase {
protected:
    ledger::RefreshTally refresh() { return attempt().value().value().tally; }
    Result<std::optional<RefreshReport>> attempt(std::chrono::seconds horizon = 3600s) {
        Refresher refresher{{*pool, *due_pool, system_clock(), horizon}, systems.at("shows")};
        return refresher.refresh(systems.at("shows").schedules.at(0));
    }
    // Another due query in the place of the configured one.
    void query(const std::string& text) {
        systems.at("shows").schedules.at(0).query.sql = text;
        systems.at("shows").schedules.at(0).query.parameters.clear();
    }
    static constexpr const char* two_rows =
        "SELECT subject, '2099-01-01Z'::timestamptz AS occurrence, now() AS due_at, "
        "'2099-01-01Z'::timestamptz AS expires_at, '{\"user_id\":\"ann\"}'::json AS params, "
        "'{}'::json AS data FROM (VALUES ('a'), ('b')) v(subject)";
};

TEST_F(RefreshTest, FindsWhatIsDueAndThenWritesNothing) {
    add_show("s1", "20 minutes");
    add_show("far", "2 hours");
    EXPECT_EQ(refresh().found, 1U);
    EXPECT_EQ(states(), "s1:scheduled");
    EXPECT_EQ(ask("SELECT data->>'title' || params::text FROM notification"),
              "Live{\"user_id\": \"ann\"}");
    const auto version = ask("SELECT xmin::text || ctid::text FROM notification");
    const auto again = refresh();
    EXPECT_EQ(again.found + again.changed + again.cancelled, 0U);
    EXPECT_EQ(ask("SELECT xmin::text || ctid::text FROM notification"), version);
}

TEST_F(RefreshTest, WhatIsPublishedAndGoneIsStopped) {
    for (const auto* const show : {"sent", "open", "coming", "by hand", "over", "here"}) {
        add_show(show, "20 minutes");
    }
    std::ignore = refresh();
    sql("UPDATE notification SET state = 'published';"
        "UPDATE notification SET moved_by = 'somebody' WHERE subject = 'by hand';"
        "UPDATE notification SET expires_at = app_now() WHERE subject = 'over';"
        "INSERT INTO job (id, idempotency_key, system, kind, body, lane, state) "
        "SELECT job_id, subject, system, kind, '{}', 1, "
        " CASE subject WHEN 'sent' THEN 'done' ELSE 'sending' END::job_state "
        "FROM notification WHERE subject <> 'coming';"
        "UPDATE scheduled_shows SET status = 'live' WHERE id <> 'here'");
    EXPECT_EQ(refresh().stopped, 2U);
    EXPECT_EQ(
        ask("SELECT string_agg(n.subject || ':' || j.state, ' ' ORDER BY n.subject) "
            "FROM notification n JOIN job j ON j.id = n.job_id"),
        "by hand:sending coming:cancelled here:sending open:cancelled over:sending sent:done");
    EXPECT_EQ(refresh().stopped, 0U);
}

TEST_F(RefreshTest, AJobThatIsOverIsCalledOffWithItsRow) {
    for (const auto* const show : {"done", "failed", "here", "replayed"}) {
        add_show(show, "20 minutes");
    }
    std::ignore = refresh();
    sql("UPDATE notification SET state = 'published';"
        "INSERT INTO job (id, idempotency_key, system, kind, body, lane, state) "
        "SELECT job_id, subject, system, kind, '{}', 1, "
        " CASE subject WHEN 'failed' THEN 'failed' ELSE 'done' END::job_state FROM notification");
    const auto take_over = [this](const std::string& key) {
        sql("INSERT INTO job (id, idempotency_key, system, kind, body, lane, state, origin) "
            "SELECT gen_random_uuid(), '" +
            key +
            "', system, kind, '{}', 1, 'sending', id FROM job WHERE idempotency_key = 'replayed'");
    };
    const auto jobs = [this] {
        return ask(
            "SELECT string_agg(idempotency_key || ':' || state || "
            " CASE WHEN called_off_at IS NULL THEN '' ELSE '!' END, ' ' "
            " ORDER BY idempotency_key) FROM job");
    };
    take_over("again");
    EXPECT_EQ(refresh().stopped, 0U) << "their rows are there";
    EXPECT_EQ(jobs(), "again:sending done:done failed:failed here:done replayed:done");
    sql("UPDATE scheduled_shows SET status = 'live' WHERE id <> 'here'");
    EXPECT_EQ(refresh().stopped, 1U) << "the replay; the others are over";
    EXPECT_EQ(jobs(), "again:cancelled done:done! failed:failed! here:done replayed:done!");
    const auto called_off = [this] { return ask("SELECT max(called_off_at) FROM job"); };
    const auto before = called_off();
    advance("1 minute");
    EXPECT_EQ(refresh().stopped, 0U);
    EXPECT_EQ(called_off(), before);
    take_over("once more");
    EXPECT_EQ(refresh().stopped, 1U) << "a replay that began before its job was called off";
}

TEST_F(RefreshTest, NothingIsStoppedWhereAKindDoesNotSaySoOrNobodyKnowsWhomARowIsOf) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    sql("UPDATE notification SET state = 'published'; DELETE FROM scheduled_shows");
    systems.at("shows").kinds.at("show.reminder").stop_when_gone = false;
    EXPECT_EQ(refresh().stopped, 0U);
    systems.at("shows").kinds.at("show.reminder").stop_when_gone = true;
    query(
        "SELECT NULL AS subject, now() AS occurrence, now() AS due_at, now() AS expires_at, "
        "'{}'::json AS params, '{}'::json AS data");
    EXPECT_EQ(refresh().stopped, 0U);
    EXPECT_EQ(ask("SELECT count(*) FROM job"), "0");
    query(
        "SELECT 'other' AS subject, now() AS occurrence, now() AS due_at, "
        "'infinity'::timestamptz AS expires_at, '{}'::json AS params, '{}'::json AS data");
    EXPECT_EQ(refresh().stopped, 1U) << "that row is of somebody else";
}

TEST_F(RefreshTest, ANewTitleChangesWhatIsStillScheduled) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    sql("UPDATE scheduled_shows SET title = 'Other'");
    EXPECT_EQ(refresh().changed, 1U);
    EXPECT_EQ(ask("SELECT data->>'title' FROM notification"), "Other");
    sql("UPDATE notification SET state = 'published'");
    sql("UPDATE scheduled_shows SET title = 'Third'");
    EXPECT_EQ(refresh().changed, 0U);
    EXPECT_EQ(ask("SELECT data->>'title' FROM notification"), "Other");
}

TEST_F(RefreshTest, ACancelledOrLiveShowIsCancelled) {
    add_show("s1", "20 minutes");
    add_show("s2", "20 minutes");
    add_show("s3", "20 minutes");
    std::ignore = refresh();
    sql("UPDATE scheduled_shows SET status = 'cancelled' WHERE id = 's1'");
    sql("UPDATE scheduled_shows SET status = 'live' WHERE id = 's2'");
    EXPECT_EQ(refresh().cancelled, 2U);
    EXPECT_EQ(states(), "s1:cancelled s2:cancelled s3:scheduled");
}

TEST_F(RefreshTest, AMovedShowIsAnotherNotificationAndBackTheFirstAgain) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    sql("UPDATE scheduled_shows SET scheduled_at = scheduled_at + interval '10 minutes'");
    const auto moved = refresh();
    EXPECT_EQ(moved.found, 1U);
    EXPECT_EQ(moved.cancelled, 1U);
    EXPECT_EQ(states(), "s1:cancelled s1:scheduled");
    EXPECT_EQ(ask("SELECT count(DISTINCT job_id) FROM notification"), "2");
    sql("UPDATE scheduled_shows SET scheduled_at = scheduled_at - interval '10 minutes'");
    std::ignore = refresh();
    EXPECT_EQ(states(), "s1:scheduled s1:cancelled");
}

TEST_F(RefreshTest, MovedBeyondTheHorizonIsCancelledToo) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    sql("UPDATE scheduled_shows SET scheduled_at = scheduled_at + interval '1 day'");
    std::ignore = refresh();
    EXPECT_EQ(states(), "s1:cancelled");
}

TEST_F(RefreshTest, WhatNobodyLookedForIsNotGone) {
    add_show("far", "2 hours");
    EXPECT_EQ(attempt(3h).value().value().tally.found, 1U);
    EXPECT_EQ(attempt(1h).value().value().tally.cancelled, 0U) << "another producer's horizon";
    EXPECT_EQ(states(), "far:scheduled");
}

TEST_F(RefreshTest, WhatIsPublishedOrPastStaysWhatItIs) {
    add_show("s1", "20 minutes");
    add_show("s2", "20 minutes");
    std::ignore = refresh();
    sql("UPDATE notification SET state = 'published' WHERE subject = 's1'");
    sql("UPDATE notification SET expires_at = app_now() - interval '1 s', "
        "occurrence = app_now() - interval '1 s' WHERE subject = 's2'");
    sql("DELETE FROM scheduled_shows");
    EXPECT_EQ(refresh().cancelled, 0U);
    EXPECT_EQ(states(), "s1:published s2:scheduled");
}

TEST_F(RefreshTest, AQueryThatFailsMidwayChangesNothing) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    query(
        "SELECT g::text AS subject, '2099-01-01Z'::timestamptz AS occurrence, now() AS due_at, "
        "NULL::timestamptz AS expires_at, '{}'::json AS params, "
        "json_build_object('x', 1 / (2500 - g)) AS data FROM generate_series(1, 3000) g");
    const auto done = attempt();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().doing, ::testing::HasSubstr("system.yaml"));
    EXPECT_EQ(states(), "s1:scheduled");
}

TEST_F(RefreshTest, AnUnusableRowIsLeftOutAndKeepsOnlyWhatItMaySpeakOf) {
    query(two_rows);
    std::ignore = refresh();
    EXPECT_EQ(states(), "a:scheduled b:scheduled");
    query(std::string{"SELECT nullif(subject, 'a') AS subject, occurrence, due_at, expires_at, "
                      "params, data FROM ("} +
          two_rows +
          ") rows WHERE subject = 'a' UNION ALL "
          "SELECT 'c', '2099-01-01Z', now(), 'infinity', '{}', '{}' UNION ALL "
          "SELECT 'd', '2099-01-01Z', now(), NULL, '[1]', '{}' UNION ALL "
          "SELECT 'e', '2099-01-01Z', now(), NULL, NULL, NULL");
    const auto report = attempt().value().value();
    EXPECT_EQ(report.rows, 4U);
    EXPECT_EQ(report.unusable, 3U);
    EXPECT_THAT(report.fault, ::testing::StartsWith("row "));
    EXPECT_EQ(states(), "a:scheduled b:scheduled e:scheduled")
        << "of the row without a subject the moment is known, which is that of both";
}

TEST_F(RefreshTest, WhateverIsWrongWithOneRowTheOthersAreCancelled) {
    const std::string row =
        "SELECT {0} AS subject, {1}::timestamptz AS occurrence, {2}::timestamptz AS due_at, "
        "{3}::timestamptz AS expires_at, {4}::json AS params, {5}::json AS data";
    const std::string sound = "'2099-01-01Z'";
    const auto with = [&](const char* occurrence, const char* due, const char* expires,
                          const char* params, const char* data) {
        return fmt::format(fmt::runtime(row), "'a'", occurrence, due, expires, params, data);
    };
    const auto moment = sound.c_str();
    for (const auto& bad : {with("'infinity'", moment, "NULL", "'{}'", "'{}'"),
                            with("NULL", moment, "NULL", "'{}'", "'{}'"),
                            with(moment, "'-infinity'", "NULL", "'{}'", "'{}'"),
                            with(moment, "NULL", "NULL", "'{}'", "'{}'"),
                            with(moment, moment, "'infinity'", "'{}'", "'{}'"),
                            with(moment, moment, "NULL", "'[]'", "'{}'"),
                            with(moment, moment, "NULL", "'{}'", "'7'")}) {
        sql("DELETE FROM notification");
        query(with(moment, "now()", "NULL", "'{}'", "'{}'") + " UNION ALL " +
              fmt::format(fmt::runtime(row), "'b'", sound, "now()", "NULL", "'{}'", "'{}'"));
        std::ignore = refresh();
        ASSERT_EQ(states(), "a:scheduled b:scheduled");
        query(bad);
        const auto report = attempt().value().value();
        EXPECT_EQ(report.unusable, 1U) << bad;
        EXPECT_EQ(report.tally.cancelled, 1U) << bad;
        EXPECT_EQ(states(), "a:scheduled b:cancelled") << bad;
    }
}

TEST_F(RefreshTest, ARowMayHaveAnOwnerAndGetAnotherWhileItIsScheduled) {
    const auto owners = [this] {
        return ask(
            "SELECT string_agg(subject || ':' || source, ' ' ORDER BY subject) "
            "FROM notification");
    };
    const auto owned = [this](const std::string& owner) {
        query(
            fmt::format("SELECT subject, occurrence, occurrence AS due_at, expires_at, params, "
                        "data, {} AS owner FROM ({}) rows",
                        owner, two_rows));
        return refresh();
    };
    EXPECT_EQ(owned("NULL").found, 2U);
    EXPECT_EQ(owners(), "a:scheduler b:scheduler");
    EXPECT_EQ(owned("CASE subject WHEN 'a' THEN 'Ann & Co' END").changed, 1U);
    EXPECT_EQ(owners(), "a:Ann & Co b:scheduler");
    EXPECT_EQ(owned("'Ann & Co'").changed, 1U);
    EXPECT_EQ(owned("'Ann & Co'").changed, 0U);
    sql("UPDATE notification SET state = 'published' WHERE subject = 'a'");
    EXPECT_EQ(owned("''").changed, 1U);
    EXPECT_EQ(owners(), "a:Ann & Co b:scheduler") << "of what is published nothing changes";
}

TEST_F(RefreshTest, AnOwnerThatNobodyCanBeIsUnusable) {
    for (const auto* const owner : {"repeat('x', 61)", "E'a\nb'"}) {
        query(fmt::format("SELECT *, {} AS owner FROM ({}) rows", owner, two_rows));
        const auto report = attempt().value().value();
        EXPECT_EQ(report.unusable, 2U) << owner;
        EXPECT_EQ(report.tally.found, 0U) << owner;
    }
}

TEST_F(RefreshTest, RepeatedRowsAreOne) {
    query(std::string{two_rows} + " UNION ALL " + two_rows);
    EXPECT_EQ(refresh().found, 2U);
}

TEST_F(RefreshTest, OnlyOneProducerRefreshesAKindAtATime) {
    add_show("s1", "20 minutes");
    run([&](postgres::Connection& other) {
        auto held = ledger::NotificationRefresh::begin(other, "shows", "show.reminder", 3600s, 60s,
                                                       system_clock());
        EXPECT_TRUE(held);
        EXPECT_FALSE(attempt().value());
        const auto third = pool->open();
        EXPECT_TRUE(ledger::NotificationRefresh::begin(*third, "shows", "show.cancelled", 3600s,
                                                       60s, system_clock()));
        return true;
    });
    EXPECT_EQ(refresh().found, 1U);
}

TEST_F(RefreshTest, AProducerThatStandsStillLosesItsTurn) {
    add_show("s1", "20 minutes");
    const auto frozen = pool->open();
    const auto held = ledger::NotificationRefresh::begin(*frozen, "shows", "show.reminder", 3600s,
                                                         200ms, system_clock());
    ASSERT_TRUE(held);
    // Waits for whoever has the turn, for as long as a statement may.
    sql("SELECT pg_advisory_lock(hashtextextended('fanfare.refresh/shows/show.reminder', 0)), "
        "pg_advisory_unlock(hashtextextended('fanfare.refresh/shows/show.reminder', 0))");
    EXPECT_EQ(refresh().found, 1U);
}

}  // namespace
}  // namespace fanfare
