// One producer of all drops what is old.
#include "producer/retention/keeper.hpp"

#include "core/ledger/jobs.hpp"
#include "core/ledger/lease.hpp"
#include "database_case.hpp"
#include "shifted_clock.hpp"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class RetentionKeeperTest : public testing::LedgerCase {
protected:
    void old_jobs(int count) {
        sql("INSERT INTO job (id, idempotency_key, system, kind, body, lane, state, created_at, "
            "finished_at, day) SELECT md5(n::text)::uuid, n::text, 'shows', 'show.reminder', '{}', "
            "0, 'done', app_now() - interval '91 days', app_now() - interval '91 days', "
            "(app_now() - interval '91 days')::date FROM generate_series(1, " +
            std::to_string(count) + ") n");
        sql("INSERT INTO chunk (job_id, day, channel, number, on_doubt, lane, publish_at, size, "
            "recipients, state) SELECT id, day, 0, 0, 0, 0, app_now(), 1, '{a}', 'done' FROM job");
    }
    RetentionKeeper keeper(const std::string& name) {
        return RetentionKeeper{{url, clock, name, std::chrono::days{90}}};
    }

    testing::ShiftedClock clock;
};

TEST_F(RetentionKeeperTest, ARoundDropsAllThatIsOld) {
    old_jobs(1'200);
    auto one = keeper("one");
    const auto dropped = one.turn();
    ASSERT_TRUE(dropped);
    EXPECT_EQ(dropped->jobs, 1'200);
    EXPECT_EQ(ask("SELECT count(*) FROM chunk"), "0");
    EXPECT_EQ(ask("SELECT count(*) FROM job WHERE dropped_at IS NOT NULL"), "1200");
}

TEST_F(RetentionKeeperTest, OneOfTwoDoesIt) {
    old_jobs(1);
    run([](auto& ledger) { return ledger::take_lease(ledger, "retention", "other", 1min); });
    auto one = keeper("one");
    EXPECT_FALSE(one.turn()) << "another producer is at it";
    EXPECT_EQ(ask("SELECT count(*) FROM chunk"), "1");
    advance("61 s");
    EXPECT_TRUE(one.turn()) << "it died";
    auto two = keeper("two");
    EXPECT_TRUE(two.turn()) << "the lease was given back";
}

TEST_F(RetentionKeeperTest, AClockThatIsFarAwayDropsNothing) {
    old_jobs(1);
    clock.shift = clock.shift.load() - 48h;
    auto one = keeper("one");
    EXPECT_FALSE(one.turn());
    EXPECT_EQ(ask("SELECT count(*) FROM chunk"), "1");
}

TEST_F(RetentionKeeperTest, AClockThatJumpedDropsNothing) {
    auto one = keeper("one");
    EXPECT_TRUE(one.turn());
    old_jobs(1);
    clock.shift = clock.shift.load() + 48h;
    EXPECT_FALSE(one.turn()) << "one of the two clocks is wrong";
    EXPECT_EQ(ask("SELECT count(*) FROM chunk"), "1");
}

/// Jumps a month ahead once it was looked at so often.
class TurningClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return system_clock().now() + jump(); }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        ++looks;
        return system_clock().steady_now() + jump();
    }
    mutable std::atomic<int> looks{0};
    std::atomic<int> looks_before{1'000'000};

private:
    [[nodiscard]] std::chrono::hours jump() const { return looks > looks_before ? 720h : 0h; }
};

TEST_F(RetentionKeeperTest, AClockThatJumpsMeanwhileDropsNoMore) {
    TurningClock turning;
    ledger::LedgerClock time{turning};
    postgres::Connection db{url, {}};
    WakeSignal waker;
    const ledger::RetentionRound::Parts parts{db, time, turning, "one", std::chrono::days{90}};
    const int before = turning.looks;
    EXPECT_EQ(ledger::drop_all_old(parts, waker).end, ledger::RetentionRound::End::done);
    const int a_transaction = (turning.looks - before) / 2;  // One for jobs, one for leftovers.
    old_jobs(1'200);
    turning.looks_before = turning.looks + a_transaction;
    const auto round = ledger::drop_all_old(parts, waker);
    EXPECT_EQ(round.end, ledger::RetentionRound::End::clock_in_doubt);
    EXPECT_GT(round.dropped.jobs, 0);
    EXPECT_LT(round.dropped.jobs, 1'200);
    EXPECT_EQ(ask("SELECT count(*) FROM chunk"), std::to_string(1'200 - round.dropped.jobs));
    EXPECT_NE(describe(round.end), "");
}

TEST_F(RetentionKeeperTest, WhoeverOrdersItKeepsToTheSameRule) {
    old_jobs(1);
    run([](auto& ledger) { return ledger::take_lease(ledger, "retention", "other", 1min); });
    ledger::LedgerClock time{clock};
    postgres::Connection db{url, {}};
    WakeSignal waker;
    const ledger::RetentionRound::Parts parts{db, time, clock, "by hand", std::chrono::days{90}};
    const auto round = ledger::drop_all_old(parts, waker);
    EXPECT_EQ(round.end, ledger::RetentionRound::End::somebody_else);
    EXPECT_EQ(round.dropped.jobs, 0);
    waker.stop();
    EXPECT_EQ(ledger::drop_all_old(parts, waker).end, ledger::RetentionRound::End::stopped);
    EXPECT_EQ(ask("SELECT count(*) FROM chunk"), "1");
}

TEST_F(RetentionKeeperTest, WhatIsInUseIsTriedAgain) {
    old_jobs(1);
    auto one = keeper("one");
    postgres::Connection other{url, {}};
    auto receipt = std::make_unique<pqxx::work>(other.raw());
    receipt->exec("SELECT FROM chunk FOR UPDATE");
    one.start();
    while (ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
               "AND wait_event_type = 'Lock'") == "0") {
    }
    receipt.reset();
    while (ask("SELECT count(*) FROM chunk") != "0") {
    }
    one.stop();
    one.join();
}

}  // namespace
}  // namespace fanfare
