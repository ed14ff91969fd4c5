// Who was told of an earlier job, and what ends before a later one.
#include "ledger_case.hpp"

#include "worker/plan/audience.hpp"

namespace fanfare::ledger {
namespace {

using enum Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ToldTest : public LedgerCase {
protected:
    ToldTest() {
        kind.name = "show.cancelled";
        kind.told = "show.reminder";
        kind.cancels = {"show.reminder"};
    }
    std::string reminder(const std::string& name, const std::string& subject = "s1") {
        auto job = job_named(name);
        job.subject = subject;
        return accept(job);
    }
    Job cancellation(const std::string& subject = "s1") {
        auto job = job_named("cancellation of " + subject);
        job.kind = "show.cancelled";
        job.audience.clear();
        job.subject = subject;
        std::ignore = accept(job);
        return job;
    }
    void settle(const std::string& job, const std::string& outcomes, std::int32_t number = 0) {
        const auto claimed = claim({key(job, number)}, 77 + number);
        ASSERT_THAT(claimed, SizeIs(1));
        ASSERT_THAT(record(record_for(claimed[0], outcomes)), SizeIs(1));
    }
    std::vector<std::string> told(const Job& job, const std::string& cursor = {}) {
        JobContext context;
        context.job = job;
        context.kind = &kind;
        EXPECT_TRUE(is_told_audience(context));
        const auto source = ledger.connect();
        AudienceSnapshot snapshot{*source};
        AudienceStream stream{snapshot, context, cursor};
        std::vector<std::string> all;
        std::vector<std::string_view> ids;
        for (stream.next(2, ids); !ids.empty(); stream.next(2, ids)) {
            all.insert(all.end(), ids.begin(), ids.end());
        }
        return all;
    }
    std::string state(const std::string& job) {
        return ledger.value("SELECT state FROM job WHERE id = '" + job + "'");
    }

    Kind kind;
};

TEST_F(ToldTest, CountsWhoWasInDoubtWhenAReplayTookThemOver) {
    const auto job = reminder("a");
    plan(job, {{"a", "b"}});
    const auto claimed = claim({key(job)}, 77);
    auto entry = record_for(claimed.at(0), bytes_of({unknown, failed}));
    entry.reasons = reasons_of({Reason::answer_lost, Reason::request_refused});
    ASSERT_THAT(record(entry), SizeIs(1));
    pqxx::nontransaction{db().raw()}.exec(
        "UPDATE chunk SET outcomes = decode('0e0e', 'hex'), "
        "tally = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,2}'");
    EXPECT_THAT(told(cancellation()), ElementsAre("a"));
}

TEST_F(ToldTest, IsWhoeverAProviderTookOnceEachInOrder) {
    const auto first = reminder("first");
    plan(first, {{"a", "b", "c", "d"}, {"e", "f", "g", "h"}});
    settle(first, bytes_of({sent, refused, delivered, no_address}));
    settle(first, bytes_of({opened, unknown, clicked, suppressed}), 1);
    const auto moved = reminder("moved");
    plan(moved, {{"Z", "a", "b"}});
    settle(moved, bytes_of({sent, sent, sent}));
    const auto other = reminder("other", "s2");
    plan(other, {{"x"}});
    settle(other, bytes_of({sent}));
    const auto job = cancellation();
    EXPECT_THAT(told(job), ElementsAre("Z", "a", "b", "c", "e", "f", "g"))
        << "of f nobody knows: they may have been told";
    EXPECT_THAT(told(job, "b"), ElementsAre("c", "e", "f", "g")) << "after the cursor";
    EXPECT_THAT(told(cancellation("s3")), IsEmpty());
}

TEST_F(ToldTest, IsAsOfTheJobNotOfALaterReminder) {
    const auto job = cancellation();
    ledger.advance(std::chrono::seconds{1});
    const auto later = reminder("later");
    plan(later, {{"a"}});
    settle(later, bytes_of({sent}));
    EXPECT_THAT(told(job), IsEmpty());
}

TEST_F(ToldTest, WhatIsNotYetSentIsCancelledAndWhatIsHeldIsCounted) {
    const auto earlier = reminder("reminder");
    plan(earlier, {{"a", "b"}, {"c"}, {"d"}});
    const auto held = claim({key(earlier, 1)});
    ASSERT_THAT(held, SizeIs(1));
    // One waits for a later try, of whom a worker knows what may be said.
    const auto retried = claim({key(earlier, 2)}, 2);
    auto later = record_for(retried.at(0), bytes_of({retry}));
    later.next_in = std::chrono::hours{1};
    record(later);
    const auto other = reminder("other", "s2");
    plan(other, {{"x"}});
    ledger.column(
        "INSERT INTO notification (system, kind, subject, occurrence, due_at, job_id) "
        "VALUES ('shows', 'show.reminder', 's1', app_now(), app_now(), "
        "'00000000-0000-0000-0000-000000000001') RETURNING 1");
    const auto job = cancellation();
    EXPECT_EQ(cancel_earlier(db(), job, kind.cancels), 1) << "held by a worker";
    EXPECT_EQ(state(earlier), "cancelled");
    EXPECT_EQ(state(other), "sending");
    EXPECT_EQ(state(job.id), "planning");
    EXPECT_EQ(ledger.value("SELECT state FROM notification"), "cancelled");
    EXPECT_THAT(ledger.column("SELECT outcome || ' ' || reason FROM delivery WHERE chunk = 0 "
                              "AND job_id = '" +
                              earlier + "'"),
                ElementsAre("cancelled job_cancelled", "cancelled job_cancelled"));
    EXPECT_EQ(ledger.value("SELECT planned = pending + cancelled + retry AND cancelled = 2 FROM "
                           "job_progress WHERE job_id = '" +
                           earlier + "'"),
              "t");
    EXPECT_THAT(claim_of_ended_jobs(db(), 9, lease), SizeIs(1)) << "at once, by the sweep";
    EXPECT_THAT(record(record_for(held[0], bytes_of({sent}))), SizeIs(1));
    EXPECT_EQ(cancel_earlier(db(), job, kind.cancels), 1) << "the one claimed just now";
    EXPECT_THAT(told(job), ElementsAre("c"));
}

TEST_F(ToldTest, APostponedPlanIsAnybodysWithoutCostingAnAttempt) {
    const auto job = cancellation();
    auto task = claim_plan(db(), job.id, lease);
    ASSERT_TRUE(task);
    postpone_plan(db(), *task, std::chrono::milliseconds{100});
    EXPECT_FALSE(claim_plan(db(), job.id, lease));
    ledger.advance(std::chrono::milliseconds{101});
    task = claim_plan(db(), job.id, lease);
    ASSERT_TRUE(task);
    EXPECT_EQ(task->unheard, 1);
}

}  // namespace
}  // namespace fanfare::ledger
