#include "worker/plan/keeper.hpp"

#include "tests/unit/worker/plan_model.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <stdexcept>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class PlanKeeperTest : public ::testing::Test {
protected:
    PlanKeeperTest() { std::ignore = ledger.claim("j", 60s); }
    void look_after(std::chrono::microseconds wait) {
        clock.advance(wait);
        keeper.look();
    }

    ManualClock clock{TimePoint{}};
    test::PlanModel ledger{clock};
    std::atomic<bool> stopping{false};
    PlanKeeper keeper{ledger, clock, 60s, stopping};
};

TEST_F(PlanKeeperTest, MakesLeasesNewEachTwoSeconds) {
    look_after(1h);
    EXPECT_EQ(ledger.beats, 0) << "there is no plan";
    const PlanKeeper::Hold hold{keeper, "j", 1};
    look_after(1'999ms);
    EXPECT_EQ(ledger.beats, 0);
    look_after(1ms);
    EXPECT_EQ(ledger.beats, 1);
    EXPECT_EQ(ledger.free_at, clock.steady_now() + 60s);
    look_after(1'999ms);
    EXPECT_EQ(ledger.beats, 1);
    look_after(1ms);
    EXPECT_EQ(ledger.beats, 2);
    EXPECT_FALSE(hold.is_over());
}

TEST_F(PlanKeeperTest, OfAShortLeaseEachQuarter) {
    PlanKeeper hasty{ledger, clock, 2s, stopping};
    const PlanKeeper::Hold hold{hasty, "j", 1};
    clock.advance(500ms);
    hasty.look();
    EXPECT_EQ(ledger.beats, 1);
}

TEST_F(PlanKeeperTest, LosesWhatIsAnothersAndNothingElse) {
    PlanKeeper::Hold mine{keeper, "j", 1};
    PlanKeeper::Hold lost{keeper, "j", 0};
    const PlanKeeper::Hold gone{keeper, "another", 1};
    std::counting_semaphore ended{0};
    std::atomic<int> ended_of_mine{0};
    const PlanKeeper::Reading reading{lost, [&] { ended.release(); }};
    const PlanKeeper::Reading of_mine{mine, [&] { ++ended_of_mine; }};
    look_after(2s);
    EXPECT_EQ(ledger.beats, 1) << "one question for all of them";
    EXPECT_TRUE(lost.is_lost());
    EXPECT_TRUE(gone.is_lost());
    EXPECT_FALSE(mine.is_lost());
    ended.acquire();
    do {
        look_after(100ms);  // Again, as soon as the first call is done.
    } while (!ended.try_acquire());
    EXPECT_EQ(ended_of_mine, 0);
}

TEST_F(PlanKeeperTest, KeepsOtherPlansWhileAServerDoesNotSayThatItEndsAQuery) {
    const PlanKeeper::Hold mine{keeper, "j", 1};
    PlanKeeper::Hold lost{keeper, "j", 0};
    std::binary_semaphore asked{0};
    std::binary_semaphore answers{0};
    std::atomic<int> times{0};
    {
        const PlanKeeper::Reading reading{lost, [&] {
                                              ++times;
                                              asked.release();
                                              answers.acquire();
                                          }};
        look_after(2s);
        asked.acquire();
        look_after(2s);
        const PlanKeeper::Hold another{keeper, "j", 1};
        EXPECT_EQ(ledger.beats, 2);
        EXPECT_EQ(ledger.free_at, clock.steady_now() + 60s);
        EXPECT_EQ(times, 1) << "it is asked once at a time";
        answers.release();
    }
}

TEST_F(PlanKeeperTest, WhatCannotBeAskedCountsAsKept) {
    const PlanKeeper::Hold hold{keeper, "j", 0};
    ledger.is_away = true;
    look_after(1min);
    EXPECT_FALSE(hold.is_lost());
    ledger.is_away = false;
    look_after(1min);
    EXPECT_TRUE(hold.is_lost());
}

TEST_F(PlanKeeperTest, WhoStopsEndsItsQueriesAndKeepsNothing) {
    PlanKeeper::Hold hold{keeper, "j", 1};
    std::atomic<int> ended{0};
    {
        const PlanKeeper::Reading reading{hold, [&] {
                                              ++ended;
                                              throw std::runtime_error{"the server is away"};
                                          }};
        stopping = true;
        look_after(1min);
        EXPECT_EQ(ledger.beats, 0) << "it is about to be given back";
    }
    EXPECT_EQ(ended, 1);
    look_after(100ms);
    EXPECT_EQ(ended, 1) << "nothing is read any more";
}

TEST_F(PlanKeeperTest, ItsThreadLooksWhileThereArePlans) {
    PlanKeeper fast{ledger, system_clock(), 8ms, stopping};
    const KeeperThread thread{fast};
    PlanKeeper::Hold hold{fast, "j", 0};
    std::promise<void> ended;
    std::atomic<bool> told{false};
    const PlanKeeper::Reading reading{hold, [&] {
                                          if (!told.exchange(true)) ended.set_value();
                                      }};
    ended.get_future().wait();
    EXPECT_TRUE(hold.is_lost());
}

}  // namespace
}  // namespace fanfare
