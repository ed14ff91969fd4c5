#include "producer/schedule/republisher.hpp"

#include "core/ledger/api_jobs.hpp"
#include "core/ledger/jobs.hpp"
#include "core/wire/job.hpp"
#include "database_case.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RepublisherTest : public testing::LedgerCase {
protected:
    /// Finds what is lost, and claims and marks again what came back of the notifications.
    void turn() {
        Republisher republisher{{*pool, systems, probe,
                                 [this](const OutgoingJob& job, const std::function<void(bool)>&) {
                                     published.push_back(job.id);
                                     last = job.bytes;
                                     last_trace = job.trace;
                                     return is_queueing;
                                 },
                                 [this] { ++rung; }},
                                {.after = 60s, .within = 168h}};
        ASSERT_TRUE(republisher.turn());
    }

    /// A notification that is due, and what a publisher does with it.
    void publish(const std::string& subject, const std::string& expires = "1 day") {
        sql(fmt::format(
            "INSERT INTO notification (system, kind, subject, occurrence, due_at, expires_at, "
            "params, job_id) VALUES ('shows', 'show.reminder', '{0}', '2099-01-01Z', app_now(), "
            "app_now() + interval '{1}', '{{\"user_id\":\"ann\"}}', '{2}')",
            subject, expires,
            derived_id("shows/show.reminder/" + subject + "/2099-01-01T00:00:00.000000Z")));
        EXPECT_EQ(publish_again(), 1U);
    }
    std::size_t publish_again() {
        return run([&](postgres::Connection& connection) {
            const std::vector<std::string> mine{"shows"};
            const auto claims = ledger::claim_notifications(connection, mine, 100, 30s);
            std::vector<ledger::NotificationHold> holds;
            for (const auto& claimed : claims.claimed)
                holds.push_back({claimed.key, claimed.epoch});
            return ledger::mark_published(connection, holds).size();
        });
    }
    /// What a worker does with a job of such an id.
    void take(const std::string& id) {
        Job job;
        job.id = id;
        job.idempotency_key = "key of " + id;
        job.system = "shows";
        job.kind = "show.reminder";
        run([&](postgres::Connection& db) { return test::insert_job(db, job); });
    }
    std::string job_of(const std::string& subject) {
        return ask("SELECT job_id FROM notification WHERE subject = '" + subject + "'");
    }
    void refuse(const std::string& job) {
        run([&](postgres::Connection& db) {
            ledger::refuse_job(db, job, "unknown_template", "no text");
            return true;
        });
    }

    ledger::KnownRequest order(const std::string& key) {
        ledger::NewRequest request;
        request.owner = "ann";
        request.key = key;
        request.digest = "d";
        request.job = derived_id("api/ann/" + key);
        request.trace = trace;
        request.body = R"({"id": ")" + request.job + R"(", "system": "shows"})";
        return run(
            [&](postgres::Connection& db) { return ledger::remember_request(db, request, 60s); });
    }
    void mark(const std::string& key) {
        run([&](postgres::Connection& db) {
            ledger::mark_request_published(db, "ann", key);
            return true;
        });
    }

    ScheduleProbe probe{std::make_shared<prometheus::Registry>()};
    std::vector<std::string> published;
    std::string last;
    std::string last_trace;
    std::string trace;  // Of orders.
    bool is_queueing = true;
    int rung = 0;
};

TEST_F(RepublisherTest, ANotificationThatNoWorkerTakesIsPublishedAgain) {
    publish("s");
    advance("59 s");
    turn();
    EXPECT_EQ(states(), "s:published");
    advance("2 s");
    turn();
    EXPECT_EQ(states(), "s:publishing");
    EXPECT_EQ(rung, 1);
    EXPECT_EQ(publish_again(), 1U);
    advance("61 s");
    turn();
    EXPECT_EQ(states(), "s:published") << "twice as long";
    advance("60 s");
    turn();
    EXPECT_EQ(states(), "s:publishing");
}

TEST_F(RepublisherTest, WhatAWorkerTookIsTakenForGoodWhateverBecomesOfItsJob) {
    publish("s");
    take(job_of("s"));
    advance("61 s");
    turn();
    sql("DELETE FROM job");
    advance("1 day");
    turn();
    EXPECT_EQ(states(), "s:published");
    EXPECT_EQ(rung, 0);
}

TEST_F(RepublisherTest, ADeadLetterIsNotPublishedAgain) {
    publish("s");
    refuse(job_of("s"));
    advance("61 s");
    turn();
    EXPECT_EQ(states(), "s:published");
    advance("6 days");
    turn();
    EXPECT_EQ(states(), "s:published");
    EXPECT_EQ(rung, 0);
}

TEST_F(RepublisherTest, WhatNobodyTakesIsGivenUpInTheEndOrExpires) {
    publish("long", "30 days");
    publish("short", "30 s");
    advance("61 s");
    turn();
    EXPECT_EQ(publish_again(), 1U);
    EXPECT_EQ(states(), "long:published short:expired");
    advance("8 days");
    turn();
    advance("1 day");
    turn();
    EXPECT_EQ(states(), "long:published short:expired");
    EXPECT_EQ(rung, 1);
}

TEST_F(RepublisherTest, OnlyItsOwnSystemsAreClaimable) {
    publish("s");
    sql("UPDATE notification SET system = 'other'");
    advance("61 s");
    turn();
    EXPECT_EQ(states(), "s:published");
}

TEST_F(RepublisherTest, AnOrderThatNoWorkerTakesIsPublishedAgainAsItWas) {
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 a=1";
    const auto known = order("k");
    EXPECT_EQ(known.trace, trace);
    const auto first =
        std::exchange(trace, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    EXPECT_EQ(order("k").trace, first) << "sent again it stays in the first one's";
    mark("k");
    advance("59 s");
    turn();
    EXPECT_THAT(published, IsEmpty());
    advance("2 s");
    is_queueing = false;
    turn();
    is_queueing = true;
    EXPECT_THAT(published, ElementsAre(known.job)) << "though it found no room";
    advance("121 s");
    turn();
    EXPECT_THAT(published, ElementsAre(known.job, known.job));
    EXPECT_THAT(last, ::testing::HasSubstr(known.job));
    EXPECT_EQ(last_trace, first);
    take(known.job);
    advance("1 day");
    turn();
    sql("DELETE FROM job");
    advance("1 day");
    turn();
    EXPECT_EQ(published.size(), 2U);
}

TEST_F(RepublisherTest, AnOrderThatNobodyWasToldOfIsNot) {
    order("k");
    advance("2 days");
    turn();
    EXPECT_THAT(published, IsEmpty());
}

TEST_F(RepublisherTest, ManyLostOrdersArePublishedAFewAtATime) {
    for (int i = 0; i < 40; ++i) {
        order(fmt::format("k{}", i));
        mark(fmt::format("k{}", i));
    }
    advance("61 s");
    turn();
    EXPECT_EQ(published.size(), 40U);
}

TEST_F(RepublisherTest, AClientThatOrdersAgainIsPublishedForAgain) {
    EXPECT_FALSE(order("k").published);
    mark("k");
    EXPECT_TRUE(order("k").published);
    advance("61 s");
    EXPECT_FALSE(order("k").published) << "nobody took it";
    mark("k");
    EXPECT_TRUE(order("k").published);
    take(order("k").job);
    advance("61 s");
    EXPECT_TRUE(order("k").published);
    turn();
    sql("DELETE FROM job");
    EXPECT_TRUE(order("k").published) << "it was taken once";
}

TEST_F(RepublisherTest, AClientThatOrdersAgainLearnsOfTheDeadLetter) {
    const auto known = order("k");
    mark("k");
    EXPECT_EQ(known.refusal_code, "");
    refuse(known.job);
    EXPECT_EQ(order("k").refusal_code, "unknown_template");
    EXPECT_EQ(order("k").refusal, "no text");
    const auto line =
        run([&](postgres::Connection& db) { return ledger::find_job(db, known.job, {}); });
    ASSERT_TRUE(line);
    EXPECT_EQ(line->state, "failed");
    EXPECT_EQ(line->failure, "unknown_template: no text");
    sql("UPDATE absent_job SET noted_at = noted_at - interval '30 days'");
    run([](postgres::Connection& db) {
        ledger::forget_absent(db, {});
        return true;
    });
    EXPECT_EQ(order("k").refusal_code, "unknown_template") << "as long as the order is known";
    take(known.job);
    EXPECT_EQ(order("k").refusal_code, "") << "another copy was taken";
}

}  // namespace
}  // namespace fanfare
