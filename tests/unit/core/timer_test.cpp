#include "core/clock/timer.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Notes {
    const Clock& clock;
    std::vector<std::string> lines;
    void add(std::string_view what) {
        const auto seconds = std::chrono::duration<double>{clock.steady_now().time_since_epoch()};
        lines.push_back(std::string{what} + " " + std::to_string(seconds.count()).substr(0, 5));
    }
};

asio::awaitable<void> note_after(std::chrono::nanoseconds wait, std::string what, Notes& notes) {
    co_await pause_for(wait);
    notes.add(what);
}

asio::awaitable<void> note_each(std::chrono::nanoseconds wait, Notes& notes) {
    while (true) {
        co_await pause_for(wait);
        notes.add("tick");
    }
}

asio::awaitable<void> wait_on(Timer& timer, std::chrono::nanoseconds most, Notes& notes) {
    const bool is_over = co_await timer.wait(most);
    notes.add(is_over ? "over" : "cancelled");
}

class TimerTest : public ::testing::Test {
protected:
    TimerTest() { time.attach(loop); }

    VirtualTime time{TimePoint{100h}};
    Notes notes{time, {}};
    asio::io_context loop{1};
};

TEST_F(TimerTest, TimePassesOnlyWhereItIsRun) {
    test::begin(loop, note_after(10min, "late", notes));
    test::begin(loop, note_after(2s, "early", notes));
    time.run_for(1s);
    EXPECT_THAT(notes.lines, IsEmpty());
    time.run_for(9min + 59s);
    EXPECT_THAT(notes.lines, ElementsAre("early 2.000", "late 600.0"));
    EXPECT_EQ(time.now(), TimePoint{100h + 10min});
}

TEST_F(TimerTest, WhatIsDueTogetherRunsInTheOrderInWhichItWasSet) {
    for (const auto* const name : {"a", "b", "c"}) test::begin(loop, note_after(5s, name, notes));
    time.run_for(5s);
    EXPECT_THAT(notes.lines, ElementsAre("a 5.000", "b 5.000", "c 5.000"));
}

TEST_F(TimerTest, ACancelEndsAWaitNowAndLeavesNothingBehind) {
    Timer timer{loop.get_executor()};
    test::begin(loop, wait_on(timer, 1h, notes));
    time.run_for(3s);
    timer.cancel();
    time.settle();
    EXPECT_THAT(notes.lines, ElementsAre("cancelled 3.000"));
    EXPECT_EQ(time.waiting(), 0U);
    test::begin(loop, wait_on(timer, 1s, notes));
    time.run_for(2s);
    EXPECT_THAT(notes.lines, ElementsAre("cancelled 3.000", "over 4.000"));
}

TEST_F(TimerTest, WhoStoodStillFindsItsTimersLate) {
    test::begin(loop, note_after(1s, "late", notes));
    time.settle();
    time.stand_still(30s);
    time.run_for(1s);
    EXPECT_THAT(notes.lines, ElementsAre("late 30.00"));
}

TEST_F(TimerTest, ALoopThatEndsTakesItsWaitsWithIt) {
    auto other = std::make_unique<asio::io_context>(1);
    time.attach(*other);
    test::begin(*other, note_each(1s, notes));
    time.run_for(2s);
    time.detach(*other);
    other.reset();  // As if its program had been killed in the midst of a wait.
    EXPECT_EQ(time.waiting(), 0U);
    time.run_for(5s);
    EXPECT_THAT(notes.lines, ElementsAre("tick 1.000", "tick 2.000"));
}

TEST_F(TimerTest, WhatIsFrozenRunsLate) {
    asio::io_context other{1};
    time.attach(other);
    test::begin(other, note_after(1s, "frozen", notes));
    test::begin(loop, note_after(2s, "awake", notes));
    time.settle();
    time.freeze(other);
    time.run_for(5s);
    EXPECT_THAT(notes.lines, ElementsAre("awake 2.000"));
    time.thaw(other);
    time.run_for(0s);
    EXPECT_THAT(notes.lines, ElementsAre("awake 2.000", "frozen 5.000"));
}

TEST(TimerOfTheMachine, EndsByItself) {
    asio::io_context loop{1};
    Notes notes{system_clock(), {}};
    const auto begun = system_clock().steady_now();
    test::run(loop, note_after(2ms, "over", notes));
    EXPECT_GE(system_clock().steady_now() - begun, 2ms);
}

TEST(TimerOfTheMachine, EndsWithACancel) {
    asio::io_context loop{1};
    ManualClock still{TimePoint{}};
    Notes notes{still, {}};
    Timer timer{loop.get_executor()};
    test::begin(loop, wait_on(timer, 1h, notes));
    test::settle(loop);
    EXPECT_THAT(notes.lines, IsEmpty());
    timer.cancel();
    test::settle(loop);
    EXPECT_THAT(notes.lines, ElementsAre("cancelled 0.000"));
}

TEST(BeatTest, BeatsOfOneProgramAreTogetherAndNeverClose) {
    const auto wait = [](std::chrono::milliseconds moment, std::chrono::milliseconds phase) {
        return until_beat(SteadyTime{moment}, 1s, phase);
    };
    for (const auto moment : {0ms, 1ms, 250ms, 499ms, 500ms, 501ms, 999ms, 12'345ms}) {
        EXPECT_EQ((moment + wait(moment, 100ms) + 100ms) % 1s, 0ms) << moment.count();
        EXPECT_GE(wait(moment, 100ms), 500ms) << moment.count();
        EXPECT_LE(wait(moment, 100ms), 1'500ms) << moment.count();
    }
    EXPECT_EQ(wait(250ms, 0ms), 750ms);
    EXPECT_EQ(wait(250ms, 100ms), 650ms) << "another program's beat is another";
}

}  // namespace
}  // namespace fanfare
