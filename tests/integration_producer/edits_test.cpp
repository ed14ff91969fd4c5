// What people do to the schedule holds against due queries and publishers.
#include "core/wire/job.hpp"
#include "database_case.hpp"
#include "producer/schedule/refresh.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using ledger::NotificationEdit;
using namespace std::chrono_literals;

class EditsTest : public testing::LedgerCase {
protected:
    ledger::RefreshTally refresh() {
        Refresher refresher{{*pool, *pool, system_clock(), 3600s}, systems.at("shows")};
        return refresher.refresh(systems.at("shows").schedules.at(0)).value().value().tally;
    }
    /// The key of the one notification of a subject, as the ledger has it.
    ledger::NotificationKey key(const std::string& subject) {
        return {"shows", "show.reminder", subject,
                ask(fmt::format("SELECT to_char(scheduled_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
                                "FROM scheduled_shows WHERE id = '{}'",
                                subject))};
    }
    NotificationEdit cancel(const ledger::NotificationKey& which) {
        return run([&](auto& db) { return ledger::cancel_notification(db, which, "ada"); });
    }
    NotificationEdit move(const ledger::NotificationKey& which, const std::string& due_at,
                          const std::string& expires_at = {}) {
        return run([&](auto& db) {
            return ledger::reschedule_notification(db, which, {due_at, expires_at}, "ada");
        });
    }
    NotificationEdit send_now(const ledger::NotificationKey& which) {
        return run([&](auto& db) { return ledger::send_notification_now(db, which, "ada"); });
    }
    std::size_t claim() {
        const std::vector<std::string> names{"shows"};
        return run([&](auto& db) { return ledger::claim_notifications(db, names, 10, 30s); })
            .claimed.size();
    }
};

TEST_F(EditsTest, WhatAPersonCancelledIsNotScheduledAgain) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    EXPECT_EQ(cancel(key("s1")), NotificationEdit::done);
    EXPECT_EQ(refresh().changed, 0U);
    sql("UPDATE scheduled_shows SET title = 'Other'");
    EXPECT_EQ(refresh().changed, 0U);
    EXPECT_EQ(states(), "s1:cancelled");
    EXPECT_EQ(ask("SELECT cancelled_by FROM notification"), "ada");
    // What the query itself cancelled comes back, as before.
    add_show("s2", "20 minutes");
    std::ignore = refresh();
    sql("UPDATE scheduled_shows SET status = 'cancelled' WHERE id = 's2'");
    std::ignore = refresh();
    sql("UPDATE scheduled_shows SET status = 'scheduled' WHERE id = 's2'");
    EXPECT_EQ(refresh().changed, 1U);
    EXPECT_EQ(states(), "s1:cancelled s2:scheduled");
}

TEST_F(EditsTest, AMomentMayBeCancelledBeforeItIsFound) {
    add_show("far", "20 hours");
    EXPECT_EQ(refresh().found, 0U);
    EXPECT_EQ(cancel(key("far")), NotificationEdit::done);
    advance("19 hours");
    EXPECT_EQ(refresh().found, 0U);
    EXPECT_EQ(states(), "far:cancelled");
}

TEST_F(EditsTest, AMovedOneStaysWhereItWasMovedAndTakesOtherNews) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    const auto due = ask("SELECT (app_now() + interval '10 minutes')::text");
    EXPECT_EQ(move(key("s1"), due), NotificationEdit::done);
    EXPECT_EQ(refresh().changed, 0U);
    sql("UPDATE scheduled_shows SET title = 'Other'");
    EXPECT_EQ(refresh().changed, 1U);
    EXPECT_EQ(ask(fmt::format("SELECT due_at = '{}'::timestamptz AND data->>'title' = 'Other' "
                              "FROM notification",
                              due)),
              "t");
    // A show that is cancelled takes its moved reminder along.
    sql("UPDATE scheduled_shows SET status = 'cancelled'");
    EXPECT_EQ(refresh().cancelled, 1U);
}

TEST_F(EditsTest, NothingIsMovedBehindItsExpiry) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    const auto late = ask("SELECT (app_now() + interval '1 hour')::text");
    EXPECT_EQ(move(key("s1"), late), NotificationEdit::too_late);
    EXPECT_EQ(move(key("s1"), late, ask("SELECT (app_now() + interval '2 hours')::text")),
              NotificationEdit::done);
    auto stranger = key("s1");
    stranger.subject = "nobody";
    EXPECT_EQ(move(stranger, late), NotificationEdit::unknown);
    EXPECT_EQ(send_now(stranger), NotificationEdit::unknown);
}

TEST_F(EditsTest, SendNowMakesItDueAndWhatIsPublishedIsNotChanged) {
    add_show("s1", "40 minutes");
    std::ignore = refresh();
    EXPECT_EQ(claim(), 0U);
    EXPECT_EQ(send_now(key("s1")), NotificationEdit::done);
    std::ignore = refresh();
    EXPECT_EQ(claim(), 1U);
    EXPECT_EQ(cancel(key("s1")), NotificationEdit::too_late);
    sql("UPDATE notification SET state = 'published'");
    EXPECT_EQ(send_now(key("s1")), NotificationEdit::too_late);
    EXPECT_EQ(cancel(key("s1")), NotificationEdit::too_late);
}

TEST_F(EditsTest, RefreshesLeaveAloneWhatTheyDidNotFind) {
    const ledger::NewNotification wanted{
        .key = {"shows", "show.reminder", "manual", "2099-01-01T00:00:00Z"},
        .due_at = ask("SELECT (app_now() + interval '1 minute')::text"),
        .expires_at = "",
        .params = R"({"user_id": "ann"})",
        .data = R"({"title": "First"})",
        .source = "backend"};
    const auto insert = [&](const ledger::NewNotification& one) {
        return run([&](auto& db) { return ledger::insert_notification(db, one); });
    };
    EXPECT_EQ(insert(wanted), NotificationEdit::done);
    const auto tally = refresh();
    EXPECT_EQ(tally.found + tally.changed + tally.cancelled, 0U);
    EXPECT_EQ(states(), "manual:scheduled");
    EXPECT_EQ(ask("SELECT job_id FROM notification"),
              derived_id("shows/show.reminder/manual/2099-01-01T00:00:00.000000Z"));
    auto again = wanted;
    again.data = R"({"title": "Second"})";
    EXPECT_EQ(insert(again), NotificationEdit::done);
    EXPECT_EQ(ask("SELECT data->>'title' FROM notification"), "Second");
    EXPECT_EQ(cancel(wanted.key), NotificationEdit::done);
    EXPECT_EQ(insert(wanted), NotificationEdit::too_late) << "a person cancelled it";
}

TEST_F(EditsTest, ASubjectIsCancelledAsAWhole) {
    add_show("s1", "20 minutes");
    add_show("s2", "20 minutes");
    std::ignore = refresh();
    const std::vector<std::string> others{"show.cancelled"};
    run([&](auto& db) {
        EXPECT_EQ(ledger::cancel_subject(db, "shows", "s1", "ada", others), 0U);
        EXPECT_EQ(ledger::cancel_subject(db, "shows", "s1", "ada"), 1U);
        return true;
    });
    std::ignore = refresh();
    EXPECT_EQ(states(), "s1:cancelled s2:scheduled");
}

}  // namespace
}  // namespace fanfare
