#include "producer/schedule/publisher.hpp"

#include "core/wire/job.hpp"
#include "database_case.hpp"
#include "producer/schedule/scheduler.hpp"
#include "shifted_clock.hpp"

#include <fmt/format.h>

#include <set>
#include <thread>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using ledger::NotificationHold;

/// A broker that keeps what it gets, and answers as told.
struct FakeBroker {
    enum class Mood { accept, refuse, full, silent };

    PublishJob port() {
        return [this](const OutgoingJob& job, std::function<void(bool)> acknowledged) {
            Mood now = Mood::accept;
            {
                const std::lock_guard guard{mutex};
                now = mood;
                if (now == Mood::full) return false;
                jobs.push_back(job.id);
                last = job.bytes;
                since = job.since;
                if (now == Mood::silent) waiting.push_back(acknowledged);
            }
            if (now != Mood::silent) acknowledged(now == Mood::accept);
            return true;
        };
    }
    std::size_t count() {
        const std::lock_guard guard{mutex};
        return jobs.size();
    }

    std::mutex mutex;
    Mood mood = Mood::accept;
    std::vector<std::string> jobs;
    std::string last;
    std::optional<TimePoint> since;
    std::vector<std::function<void(bool)>> waiting;
};

class PublisherTest : public testing::LedgerCase {
protected:
    /// `due`, `expires`: from now on.
    void add(const std::string& subject, const std::string& due, const std::string& expires,
             const std::string& params = R"({"user_id":"ann"})") {
        sql(fmt::format(
            "INSERT INTO notification (system, kind, subject, occurrence, due_at, expires_at, "
            "params, job_id) VALUES ('shows', 'show.reminder', '{}', '2099-01-01Z', "
            "app_now() + interval '{}', app_now() + interval '{}', '{}', '{}')",
            subject, due, expires, params,
            derived_id("shows/show.reminder/" + subject + "/2099-01-01T00:00:00.000000Z")));
    }
    ledger::NotificationClaims claim(std::chrono::milliseconds lease = 30s) {
        return run([&](postgres::Connection& connection) {
            const std::vector<std::string> mine{"shows"};
            return ledger::claim_notifications(connection, mine, 100, lease);
        });
    }
    std::size_t mark(const ledger::ClaimedNotification& claimed) {
        const NotificationHold hold{claimed.key, claimed.epoch};
        return run([&](postgres::Connection& connection) {
            return ledger::mark_published(connection, {&hold, 1}).size();
        });
    }
    Publisher publisher(FakeBroker& broker) {
        return Publisher{{*pool, systems, system_clock(), probe, waker, broker.port(), {}},
                         {.lease = 30s, .poll_interval = 1s, .drain_max = 2s}};
    }

    ScheduleProbe probe{std::make_shared<prometheus::Registry>()};
    WakeSignal waker;
};

TEST_F(PublisherTest, OnlyWhatIsDueIsClaimedAndOnlyOnce) {
    add("due", "-1 s", "1 hour");
    add("later", "1 minute", "1 hour");
    const auto first = claim();
    ASSERT_EQ(first.claimed.size(), 1U);
    EXPECT_EQ(first.claimed[0].key.subject, "due");
    EXPECT_EQ(first.claimed[0].epoch, 1);
    EXPECT_TRUE(claim().claimed.empty());
    EXPECT_EQ(mark(first.claimed[0]), 1U);
    EXPECT_EQ(states(), "due:published later:scheduled");
    advance("2 hours");
    EXPECT_EQ(claim().expired.size(), 1U) << "the later one; the published one stays";
}

TEST_F(PublisherTest, ItsTraceBeginsWhenItWasDue) {
    FakeBroker broker;
    auto one = publisher(broker);
    add("s", "-1 s", "1 hour");
    static_cast<void>(one.turn());
    ASSERT_TRUE(broker.since);
    EXPECT_EQ(std::to_string(broker.since->time_since_epoch().count()),
              ask("SELECT (extract(epoch FROM greatest(due_at, created_at)) * 1000000)::bigint "
                  "FROM notification"));
}

TEST_F(PublisherTest, NothingIsLateBeforeItIsKnown) {
    const auto lag = [this] {
        const auto claimed = claim().claimed.at(0);
        const NotificationHold hold{claimed.key, claimed.epoch};
        return run([&](postgres::Connection& connection) {
            return ledger::mark_published(connection, {&hold, 1}).at(0).lag;
        });
    };
    add("learnt late", "-1 hour", "1 hour");
    EXPECT_LT(lag(), 1h) << "it was due before anybody could know";
    add("known long", "1 hour", "3 hours");
    advance("2 hours");
    EXPECT_GE(lag(), 1h);
}

TEST_F(PublisherTest, AZombieCannotMarkWhatAnotherTookOver) {
    add("s", "-1 s", "1 hour");
    const auto zombie = claim().claimed.at(0);
    advance("31 s");
    const auto taker = claim().claimed.at(0);
    EXPECT_EQ(taker.epoch, 2);
    EXPECT_EQ(mark(zombie), 0U);
    EXPECT_EQ(states(), "s:publishing");
    EXPECT_EQ(mark(taker), 1U);
    EXPECT_EQ(mark(taker), 0U);
}

TEST_F(PublisherTest, OfABacklogTheUrgentGoesFirstAndOfThatWhatExpiresFirst) {
    add("forever", "-3 hours", "1 hour");
    sql("UPDATE notification SET expires_at = NULL");
    add("later", "-2 hours", "2 hours");
    add("sooner", "-1 hour", "1 hour");
    add("urgent", "-1 s", "3 hours", "{}");
    sql("UPDATE notification SET kind = 'show.cancelled' WHERE subject = 'urgent'");
    FakeBroker broker;
    auto one = publisher(broker);
    std::ignore = one.turn();
    std::vector<std::string> expected;
    for (const auto* const subject : {"urgent", "sooner", "later", "forever"}) {
        expected.push_back(
            ask(fmt::format("SELECT job_id FROM notification WHERE subject = '{}'", subject)));
    }
    EXPECT_EQ(broker.jobs, expected);
}

TEST_F(PublisherTest, TooLateIsNeverPublished) {
    add("late", "-1 hour", "-1 s");
    FakeBroker broker;
    std::ignore = publisher(broker).turn();
    EXPECT_EQ(broker.count(), 0U);
    EXPECT_EQ(states(), "late:expired");
}

TEST_F(PublisherTest, IsPublishedOnlyWhenTheBrokerSaysSo) {
    add("s", "-1 s", "1 hour");
    FakeBroker broker;
    broker.mood = FakeBroker::Mood::silent;
    auto one = publisher(broker);
    std::ignore = one.turn();
    std::ignore = one.turn();
    EXPECT_EQ(states(), "s:publishing");
    EXPECT_EQ(broker.count(), 1U);
    broker.waiting.at(0)(true);
    std::ignore = one.turn();
    EXPECT_EQ(states(), "s:published");
    const auto job = std::get<Job>(decode_job(broker.last));
    EXPECT_EQ(job.id, ask("SELECT job_id FROM notification"));
    EXPECT_EQ(job.audience, "followers");
}

TEST_F(PublisherTest, WhatTheBrokerRefusesIsTriedAgainAfterItsLease) {
    for (const auto mood : {FakeBroker::Mood::refuse, FakeBroker::Mood::full}) {
        sql("TRUNCATE notification");
        add("s", "-1 s", "1 hour");
        FakeBroker broker;
        broker.mood = mood;
        auto one = publisher(broker);
        std::ignore = one.turn();
        std::ignore = one.turn();
        EXPECT_EQ(states(), "s:publishing");
        broker.mood = FakeBroker::Mood::accept;
        std::ignore = one.turn();
        EXPECT_EQ(states(), "s:publishing") << "its lease still runs";
        advance("31 s");
        std::ignore = one.turn();
        std::ignore = one.turn();
        EXPECT_EQ(states(), "s:published");
    }
}

TEST_F(PublisherTest, WhatMakesNoJobIsGivenBackAndMended) {
    add("s", "-1 s", "1 hour", "{}");
    FakeBroker broker;
    auto one = publisher(broker);
    std::ignore = one.turn();
    EXPECT_EQ(states(), "s:scheduled") << "so that a refresh may change or cancel it";
    EXPECT_GT(one.turn(), 100ms) << "and not tried at once again";
    sql(R"(UPDATE notification SET params = '{"user_id": "ann"}')");
    advance("31 s");
    std::ignore = one.turn();
    std::ignore = one.turn();
    EXPECT_EQ(states(), "s:published");
    EXPECT_EQ(broker.count(), 1U);
}

TEST_F(PublisherTest, SleepsUntilTheNextIsDue) {
    const auto began = system_clock().steady_now();
    add("s", "950 ms", "1 hour");
    FakeBroker broker;
    const auto wait = publisher(broker).turn();
    EXPECT_GE(wait + (system_clock().steady_now() - began), 950ms);
    EXPECT_LE(wait, 950ms);
}

TEST_F(PublisherTest, ManyPublishersPublishEachOnce) {
    for (int i = 0; i < 300; ++i) add(fmt::format("s{}", i), "-1 s", "1 hour");
    FakeBroker broker;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            auto mine = publisher(broker);
            while (ask("SELECT count(*) FROM notification WHERE state <> 'published'") != "0") {
                std::ignore = mine.turn();
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(broker.count(), 300U);
    const std::set<std::string> distinct{broker.jobs.begin(), broker.jobs.end()};
    EXPECT_EQ(distinct.size(), 300U);
}

TEST_F(PublisherTest, OtherSystemsAreLeftToTheirProducers) {
    add("s", "-1 s", "1 hour");
    sql("UPDATE notification SET system = 'elsewhere'");
    FakeBroker broker;
    std::ignore = publisher(broker).turn();
    EXPECT_EQ(states(), "s:scheduled");
}

TEST_F(PublisherTest, TwoSchedulersFromTableToBrokerOnTheMinuteAndOnce) {
    add_show("soon", "15 minutes 1 second");
    add_show("now", "5 minutes");
    FakeBroker broker;
    const Scheduler::Parts parts{*pool, systems, system_clock(), probe, broker.port(), url};
    // One poll only: what is due later goes out because its moment is known.
    ProducerSettings settings;
    settings.poll_interval = 60s;
    Scheduler one{parts, settings};
    Scheduler two{parts, settings};
    one.start();
    two.start();
    WakeSignal pause;
    const auto end = system_clock().steady_now() + 60s;
    while (states() != "now:published soon:published" && system_clock().steady_now() < end) {
        pause.wait(20ms);
    }
    one.stop();
    two.stop();
    one.join();
    two.join();
    EXPECT_EQ(states(), "now:published soon:published");
    EXPECT_EQ(broker.count(), 2U);
    EXPECT_EQ(ask("SELECT updated_at - due_at < interval '1 s' FROM notification "
                  "WHERE subject = 'soon'"),
              "t");
}

TEST_F(PublisherTest, NothingIsClaimedNorExpiresWhileTheClockIsInDoubt) {
    testing::ShiftedClock clock;
    ledger::LedgerClock time{clock};
    FakeBroker broker;
    Publisher one{{*pool,
                   systems,
                   system_clock(),
                   probe,
                   waker,
                   broker.port(),
                   {},
                   {},
                   [&](postgres::Connection& connection) {
                       ledger::learn_time(time, ledger::read_clock(connection, clock));
                       return time.is_steady();
                   }},
                  {.lease = 30s, .poll_interval = 1s, .drain_max = 2s}};
    std::ignore = one.turn();
    add("due", "-1 s", "1 hour");
    add("late", "-2 hours", "-1 s");
    clock.shift = -3600s;
    std::ignore = one.turn();
    EXPECT_EQ(broker.count(), 0U);
    EXPECT_EQ(states(), "due:scheduled late:scheduled");
    clock.shift = 0s;
    std::ignore = one.turn();
    EXPECT_EQ(broker.count(), 1U);
    EXPECT_EQ(ask("SELECT state FROM notification WHERE subject = 'late'"), "expired");
}

TEST_F(PublisherTest, ASchedulerPublishesNothingBeforeTheTimeIsKnownAgain) {
    add_show("now", "5 minutes");
    testing::ShiftedClock clock;
    FakeBroker broker;
    const Scheduler::Parts parts{*pool, systems, clock, probe, broker.port(), url};
    ProducerSettings settings;
    settings.poll_interval = 100ms;
    Scheduler scheduler{parts, settings};
    scheduler.start();
    WakeSignal pause;
    const auto enough = system_clock().steady_now() + 60s;
    const auto wait_for = [&](auto&& what) {
        while (!what() && system_clock().steady_now() < enough) pause.wait(10ms);
        return what();
    };
    EXPECT_TRUE(wait_for([&] { return states() == "now:published"; }));
    EXPECT_EQ(scheduler.trouble(), "");
    clock.shift = 3600s;
    EXPECT_TRUE(wait_for([&] { return !scheduler.trouble().empty(); }));
    add("due", "-1 s", "1 hour");
    // By hand: no query finds it, and one that looks first would take it back.
    sql("UPDATE notification SET origin = 'api' WHERE subject = 'due'");
    const auto turned = scheduler.last_turn();
    scheduler.hurry();
    EXPECT_TRUE(wait_for([&] { return scheduler.last_turn() > turned + 500ms; }));
    EXPECT_EQ(broker.count(), 1U);
    clock.shift = 0s;
    scheduler.hurry();
    EXPECT_TRUE(wait_for([&] { return broker.count() == 2; }));
    EXPECT_EQ(scheduler.trouble(), "");
    scheduler.stop();
    scheduler.join();
}

TEST_F(PublisherTest, ANotifyIsHeardWhileSomebodyWaitsForTheEnd) {
    systems.at("shows").notify = "a_show";
    FakeBroker broker;
    const Scheduler::Parts parts{*pool, systems, system_clock(), probe, broker.port(), url};
    ProducerSettings settings;
    settings.poll_interval = 1h;
    Scheduler scheduler{parts, settings};
    scheduler.start();
    std::thread end{[&] { scheduler.join(); }};  // As the producer does, from the beginning.
    WakeSignal pause;
    const auto enough = system_clock().steady_now() + 60s;
    while (ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' "
               "AND datname = current_database()") != "2" &&
           system_clock().steady_now() < enough) {
        pause.wait(20ms);
    }
    add_show("now", "5 minutes");
    sql("NOTIFY a_show");
    while (states() != "now:published" && system_clock().steady_now() < enough) pause.wait(20ms);
    EXPECT_EQ(states(), "now:published");
    scheduler.stop();
    end.join();
}

TEST_F(PublisherTest, StoppingWaitsForTheBroker) {
    add("s", "-1 s", "1 hour");
    FakeBroker broker;
    broker.mood = FakeBroker::Mood::silent;
    auto one = publisher(broker);
    std::thread running{[&] { one.run(); }};
    WakeSignal pause;
    while (broker.count() == 0) pause.wait(5ms);
    waker.stop();
    pause.wait(100ms);
    EXPECT_EQ(states(), "s:publishing");
    broker.waiting.at(0)(true);
    running.join();
    EXPECT_EQ(states(), "s:published");
}

}  // namespace
}  // namespace fanfare
