#include "worker/sweep/time_watch.hpp"

#include "tests/support/coroutines.hpp"
#include "tests/unit/worker/upkeep_case.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class TimeWatchTest : public UpkeepCase, public LedgerTime {
protected:
    TimeWatchTest() { test::begin(loop, watch.run()); }
    ~TimeWatchTest() override {
        watch.stop();
        time.run_for(10s);
    }
    Answer<ledger::ClockReading> read() override {
        ++readings;
        if (is_away) co_return away();
        const auto now = time.steady_now();
        co_return ledger::ClockReading{time.now() + ahead, now, now};
    }
    Answer<std::size_t> mend(std::chrono::milliseconds, std::chrono::milliseconds,
                             TimePoint) override {
        ++mends;
        if (is_away) co_return away();
        co_return std::size_t{1};
    }
    [[nodiscard]] bool is_held() const { return !holds.empty() && holds.back(); }

    int readings = 0, mends = 0;
    std::chrono::microseconds ahead{0};
    std::vector<bool> holds;
    ledger::LedgerClock clock{time};
    TimeWatch watch{{*this, clock, probe, [this](bool held) { holds.push_back(held); }, 60s, 30s}};
};

TEST_F(TimeWatchTest, ReadsEachSecondAndMendsEachHalfMinute) {
    time.run_for(89'500ms);
    EXPECT_EQ(readings, 90);
    EXPECT_EQ(mends, 3);
    EXPECT_FALSE(is_held());
}

TEST_F(TimeWatchTest, NothingBeginsWhileTheClockIsInDoubtAndThenItIsBelieved) {
    time.run_for(10s);
    ahead = 1h;
    time.run_for(2s);
    EXPECT_TRUE(is_held());
    EXPECT_LT(clock.now(), time.now() + 1min) << "it is not believed yet";
    time.run_for(57s);
    EXPECT_TRUE(is_held());
    time.run_for(5s);
    EXPECT_FALSE(is_held());
    EXPECT_EQ(clock.now(), time.now() + 1h);
}

TEST_F(TimeWatchTest, NothingBeginsBeforeTheTimeIsKnown) {
    is_away = true;
    time.run_for(5s);
    EXPECT_TRUE(is_held()) << "until then it is the machine's own, which may be wrong";
    ahead = -1h;
    is_away = false;
    time.run_for(2s);
    EXPECT_FALSE(is_held());
    EXPECT_EQ(clock.now(), time.now() - 1h);
}

TEST_F(TimeWatchTest, AClockThatComesBackMovesNobody) {
    time.run_for(10s);
    ahead = 1h;
    time.run_for(30s);
    ahead = 0s;
    time.run_for(2s);
    EXPECT_FALSE(is_held());
    EXPECT_EQ(clock.now(), time.now());
}

TEST_F(TimeWatchTest, WhileTheLedgerIsAwayTimeGoesOnAndItIsReadAgain) {
    time.run_for(10s);
    is_away = true;
    time.run_for(10min);
    EXPECT_FALSE(is_held());
    EXPECT_EQ(clock.now(), time.now());
    EXPECT_GE(readings, 600);
}

}  // namespace
}  // namespace fanfare
