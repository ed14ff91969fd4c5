// What people do to the schedule holds against due queries and publishers.
#include "core/ledger/due_job.hpp"
#include "core/ledger/jobs.hpp"
#include "core/ledger/notification_edits.hpp"
#include "core/wire/job.hpp"
#include "database_case.hpp"
#include "producer/schedule/refresh.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using ledger::Edit;
using namespace std::chrono_literals;

class EditsTest : public testing::LedgerCase {
protected:
    ledger::RefreshTally refresh() {
        Refresher refresher{{*pool, *due_pool, system_clock(), 3600s}, systems.at("shows")};
        return refresher.refresh(systems.at("shows").schedules.at(0)).value().value().tally;
    }
    /// The key of the one notification of a subject, as the ledger has it.
    ledger::NotificationKey key(const std::string& subject) {
        return {"shows", "show.reminder", subject,
                ask(fmt::format("SELECT to_char(scheduled_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
                                "FROM scheduled_shows WHERE id = '{}'",
                                subject))};
    }
    std::string id(const std::string& subject) { return derived_id(derivation_name(key(subject))); }
    /// A moment as format_timestamp() writes it, so much from the ledger's now.
    std::string in(const std::string& interval) {
        return ask(
            fmt::format("SELECT to_char((app_now() + interval '{}') AT TIME ZONE 'UTC', "
                        "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                        interval));
    }
    Edit cancel(const ledger::NotificationKey& which, const ledger::AccessFilter& access = {}) {
        return run([&](auto& db) {
            return ledger::cancel_notification(db, systems, which, access, "ada");
        });
    }
    Edit move(const std::string& id, const std::string& due_at,
              const std::string& expires_at = {}) {
        const ledger::NewMoment moment{due_at, expires_at, "", ""};
        return run(
            [&](auto& db) { return ledger::reschedule_notification(db, id, moment, "ada"); });
    }
    Edit send_now(const std::string& id) {
        return run([&](auto& db) { return ledger::send_notification_now(db, id, "ada"); });
    }
    std::vector<ledger::ClaimedNotification> claim() {
        const std::vector<std::string> names{"shows"};
        return run([&](auto& db) { return ledger::claim_notifications(db, names, 10, 30s); })
            .claimed;
    }
    /// What a publisher does behind a claim, and then a worker; true when the job is new.
    std::size_t mark(const ledger::ClaimedNotification& claimed) {
        const ledger::NotificationHold hold{claimed.key, claimed.epoch};
        return run([&](auto& db) { return ledger::mark_published(db, {&hold, 1}); }).size();
    }
    bool take(const ledger::ClaimedNotification& claimed) {
        const auto job = std::get<Job>(due_job(claimed, systems));
        return run([&](auto& db) { return test::insert_job(db, job, "shows"); });
    }
    std::string job_state() { return ask("SELECT string_agg(state::text, ' ') FROM job"); }
};

TEST_F(EditsTest, WhatAPersonCancelledIsNotScheduledAgain) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    EXPECT_EQ(cancel(key("s1")), Edit::done);
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
    EXPECT_EQ(cancel(key("far")), Edit::done);
    advance("19 hours");
    EXPECT_EQ(refresh().found, 0U);
    EXPECT_EQ(states(), "far:cancelled");
}

TEST_F(EditsTest, AMovedOneStaysWhereItWasMovedAndTakesOtherNews) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    const auto due = in("10 minutes");
    EXPECT_EQ(move(id("s1"), due), Edit::done);
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
    EXPECT_EQ(move(id("s1"), due), Edit::too_late) << "not scheduled";
}

TEST_F(EditsTest, WhatAPersonSaidStaysSaidAndMovesWithItsShow) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    const ledger::NewMoment other{"", "", "", R"({"title": "By hand"})"};
    EXPECT_EQ(
        run([&](auto& db) { return ledger::reschedule_notification(db, id("s1"), other, "ada"); }),
        Edit::done);
    sql("UPDATE scheduled_shows SET title = 'Other'");
    EXPECT_EQ(refresh().changed, 0U);
    EXPECT_EQ(ask("SELECT data->>'title' || ' ' || (params->>'user_id') FROM notification"),
              "By hand ann");
    EXPECT_EQ(
        run([&](auto& db) { return ledger::find_notification(db, id("s1"), {}); })->changed_by,
        "ada");
    // It is still the due query's to say when and for whom.
    sql("UPDATE notification SET due_at = due_at + interval '1 min', params = '{}'");
    EXPECT_EQ(refresh().changed, 1U);
    EXPECT_EQ(ask("SELECT data->>'title' || ' ' || (params->>'user_id') FROM notification"),
              "By hand ann");
    EXPECT_EQ(refresh().changed, 0U);
}

TEST_F(EditsTest, ASubjectIsCancelledWithItsMoments) {
    for (const auto* const show : {"s1", "s1:1h", "s1:15m", "s10", "s1 "}) {
        add_show(show, "20 minutes");
    }
    std::ignore = refresh();
    const auto keys =
        run([&](auto& db) { return ledger::open_of_subject(db, "shows", "s1", "", {}); });
    std::vector<std::string> subjects;
    for (const auto& found : keys) subjects.push_back(found.subject);
    EXPECT_THAT(subjects, ::testing::UnorderedElementsAre("s1", "s1:1h", "s1:15m"));
}

TEST_F(EditsTest, WhatOfASubjectIsBeingSentIsPendingStill) {
    for (const auto* const show : {"coming", "open", "over", "replayed"}) {
        add_show(show, "20 minutes");
    }
    std::ignore = refresh();
    sql("UPDATE notification SET state = 'published';"
        "INSERT INTO job (id, idempotency_key, system, kind, body, lane, state) "
        "SELECT job_id, subject, system, kind, '{}', 1, "
        " CASE subject WHEN 'open' THEN 'sending' ELSE 'done' END::job_state "
        "FROM notification WHERE subject <> 'coming';"
        "INSERT INTO job (id, idempotency_key, system, kind, body, lane, state, origin) "
        "SELECT gen_random_uuid(), 'again', system, kind, '{}', 1, 'sending', id FROM job "
        "WHERE idempotency_key = 'replayed'");
    const auto open = [this](const std::string& subject) {
        return run([&](auto& db) { return ledger::open_of_subject(db, "shows", subject, "", {}); })
            .size();
    };
    EXPECT_EQ(open("coming"), 1U);
    EXPECT_EQ(open("open"), 1U);
    EXPECT_EQ(open("replayed"), 1U);
    EXPECT_EQ(open("over"), 0U);
}

TEST_F(EditsTest, TheSameOrderIsKnownWhateverBecameOfIt) {
    ledger::NewNotification wanted;
    wanted.key = {"shows", "show.reminder", "s1", in("20 minutes")};
    wanted.due_at = in("10 minutes");
    const auto schedule = [&] {
        return run([&](auto& db) { return ledger::schedule_notification(db, wanted); });
    };
    const auto first = schedule();
    EXPECT_TRUE(first.is_new && first.same);
    EXPECT_EQ(send_now(first.detail.id), Edit::done);
    const auto again = schedule();
    EXPECT_FALSE(again.is_new);
    EXPECT_TRUE(again.same) << "a lost answer is asked for once more";
    wanted.data = R"({"title": "Other"})";
    EXPECT_FALSE(schedule().same);
}

TEST_F(EditsTest, WhatWasMovedBehindItsOccurrenceIsNotGoneForThat) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    EXPECT_EQ(move(id("s1"), in("30 minutes"), in("1 hour")), Edit::done);
    // The show begins, so that the due query finds it no more.
    sql("UPDATE notification SET occurrence = app_now() - interval '1 s';"
        "UPDATE scheduled_shows SET status = 'live'");
    EXPECT_EQ(refresh().cancelled, 0U);
    EXPECT_EQ(states(), "s1:scheduled");
}

TEST_F(EditsTest, NothingIsMovedBehindItsExpiry) {
    add_show("s1", "20 minutes");
    std::ignore = refresh();
    const auto late = in("1 hour");
    EXPECT_EQ(move(id("s1"), late), Edit::past_expiry);
    EXPECT_EQ(move(id("s1"), late, late), Edit::past_expiry);
    EXPECT_EQ(move(id("s1"), late, in("2 hours")), Edit::done);
    EXPECT_EQ(move(derived_id("nobody"), late), Edit::unknown);
    EXPECT_EQ(send_now(derived_id("nobody")), Edit::unknown);
    advance("3 hours");
    EXPECT_EQ(send_now(id("s1")), Edit::past_expiry);
}

TEST_F(EditsTest, SendNowMakesItDueAndWhatIsPublishedIsNotChanged) {
    add_show("s1", "40 minutes");
    std::ignore = refresh();
    EXPECT_EQ(claim().size(), 0U);
    EXPECT_EQ(send_now(id("s1")), Edit::done);
    std::ignore = refresh();
    const auto claimed = claim();
    ASSERT_EQ(claimed.size(), 1U);
    EXPECT_EQ(send_now(id("s1")), Edit::too_late);
    EXPECT_EQ(mark(claimed[0]), 1U);
    EXPECT_EQ(send_now(id("s1")), Edit::too_late);
    EXPECT_EQ(move(id("s1"), in("1 minute")), Edit::too_late);
}

TEST_F(EditsTest, WhatIsOnItsWayIsStoppedWhereverItIs) {
    for (const auto* const subject : {"claimed", "published", "taken", "over"}) {
        add_show(subject, "10 minutes");
    }
    std::ignore = refresh();
    std::map<std::string, ledger::ClaimedNotification> claims;
    for (const auto& claimed : claim()) claims.emplace(claimed.key.subject, claimed);
    ASSERT_EQ(claims.size(), 4U);
    // While its publisher is at it: neither its word nor its job counts afterwards.
    EXPECT_EQ(cancel(key("claimed")), Edit::done);
    EXPECT_EQ(mark(claims.at("claimed")), 0U);
    EXPECT_FALSE(take(claims.at("claimed")));
    // In Kafka, before a worker has it.
    EXPECT_EQ(mark(claims.at("published")), 1U);
    EXPECT_EQ(cancel(key("published")), Edit::done);
    EXPECT_FALSE(take(claims.at("published")));
    // A worker has it.
    EXPECT_TRUE(take(claims.at("taken")));
    EXPECT_EQ(cancel(key("taken")), Edit::done);
    EXPECT_EQ(cancel(key("taken")), Edit::done) << "again";
    EXPECT_EQ(job_state(), "cancelled cancelled cancelled");
    // Everyone was told.
    EXPECT_TRUE(take(claims.at("over")));
    EXPECT_EQ(mark(claims.at("over")), 1U);
    sql("UPDATE job SET state = 'done', finished_at = app_now() WHERE state = 'planning'");
    EXPECT_EQ(cancel(key("over")), Edit::too_late);
    EXPECT_EQ(states(), "claimed:cancelled over:published published:cancelled taken:cancelled");
}

TEST_F(EditsTest, NobodyCancelsWhatTheyDoNotSee) {
    add_show("s1", "20 minutes");
    add_show("far", "20 hours");
    std::ignore = refresh();
    const ledger::AccessFilter others{.systems = "{shows}", .sources = "{tenant}"};
    EXPECT_EQ(cancel(key("s1"), others), Edit::unknown);
    EXPECT_EQ(cancel(key("far"), others), Edit::unknown) << "nor what is still to be found";
    EXPECT_EQ(states(), "s1:scheduled");
}

TEST_F(EditsTest, RefreshesLeaveAloneWhatTheyDidNotFind) {
    const ledger::NewNotification wanted{
        .key = {"shows", "show.reminder", "manual", "2099-01-01T00:00:00.000000Z"},
        .due_at = in("1 minute"),
        .expires_at = "",
        .params = R"({"user_id": "ann"})",
        .data = R"({"title": "First"})",
        .source = "backend"};
    const auto schedule = [&](const ledger::NewNotification& one) {
        return run([&](auto& db) { return ledger::schedule_notification(db, one); });
    };
    EXPECT_TRUE(schedule(wanted).is_new);
    const auto tally = refresh();
    EXPECT_EQ(tally.found + tally.changed + tally.cancelled, 0U);
    EXPECT_EQ(states(), "manual:scheduled");
    EXPECT_EQ(ask("SELECT job_id FROM notification"),
              derived_id("shows/show.reminder/manual/2099-01-01T00:00:00.000000Z"));
    const auto again = schedule(wanted);
    EXPECT_FALSE(again.is_new);
    EXPECT_TRUE(again.same);
    auto other = wanted;
    other.data = R"({"title": "Second"})";
    EXPECT_FALSE(schedule(other).same);
    EXPECT_EQ(ask("SELECT data->>'title' FROM notification"), "First");
}

TEST_F(EditsTest, ASubjectHasItsOpenOnes) {
    add_show("s1", "20 minutes");
    add_show("s2", "20 minutes");
    std::ignore = refresh();
    const auto open = [&](const std::string& kind) {
        return run([&](auto& db) { return ledger::open_of_subject(db, "shows", "s1", kind, {}); });
    };
    EXPECT_TRUE(open("show.cancelled").empty());
    EXPECT_EQ(open("show.reminder"), open(""));
    EXPECT_EQ(open(""), std::vector{key("s1")});
    EXPECT_EQ(cancel(key("s1")), Edit::done);
    EXPECT_TRUE(open("").empty());
}

}  // namespace
}  // namespace fanfare
