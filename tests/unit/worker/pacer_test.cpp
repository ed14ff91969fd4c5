#include "worker/send/pacer.hpp"

#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <utility>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// An account with a limit, and a bucket that gives each slice behind the one before. Nothing here
/// waits for a slot longer than a few milliseconds: time passes where the test says so.
class PacerTest : public ::testing::Test, public RateBucket {
protected:
    boost::asio::awaitable<Result<ledger::Slice>> lease(const std::string&, double,
                                                        std::uint32_t tokens) override {
        ++leases;
        const auto begins = std::max(next_free, clock.steady_now());
        next_free =
            begins + std::chrono::nanoseconds{static_cast<std::int64_t>(tokens / rate * 1e9)};
        const auto begins_in =
            std::chrono::ceil<std::chrono::microseconds>(begins - clock.steady_now());
        clock.advance(way);
        way = usual_way;
        if (changes_to > 0) {
            rate = std::exchange(changes_to, 0);
            pacer.set_rate(rate / Pacer::used_share);
        }
        co_return ledger::Slice{begins_in, tokens};
    }
    boost::asio::awaitable<Result<std::chrono::microseconds>> block(const std::string&,
                                                                    milliseconds wait) override {
        co_return wait;
    }

    std::optional<SteadyTime> reserve(std::size_t count) {
        return test::run(context, pacer.reserve(count, clock.steady_now() + seconds{30}));
    }
    bool keep(SteadyTime slot, std::size_t count) {
        return test::run(context, pacer.keep(slot, count, clock.steady_now() + seconds{30}));
    }

    double rate = 1'000;
    double changes_to = 0;
    boost::asio::io_context context{1};
    ManualClock clock{TimePoint{}};
    SteadyTime next_free{};
    milliseconds usual_way{1};
    milliseconds way{1};
    int leases = 0;
    Pacer pacer{
        context.get_executor(),
        *this,
        clock,
        {.account = "a", .per_second = rate / Pacer::used_share}};  // It uses so much of it.
};

TEST_F(PacerTest, GivesSlotsOneAfterTheOther) {
    const auto first = reserve(5);
    const auto second = pacer.reserve_now(1, clock.steady_now() + seconds{1});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(std::chrono::round<milliseconds>(*second - *first), milliseconds{5});
    EXPECT_EQ(leases, 1);
}

TEST_F(PacerTest, GivesNoSlotThatIsNotAtHand) {
    EXPECT_FALSE(pacer.reserve_now(1, clock.steady_now() + seconds{1})) << "no slice was leased";
    ASSERT_TRUE(reserve(50));
    EXPECT_FALSE(pacer.reserve_now(1, clock.steady_now() + milliseconds{20})) << "only after that";
    EXPECT_TRUE(pacer.reserve_now(1, clock.steady_now() + milliseconds{60}));
}

TEST_F(PacerTest, ASlotThatIsLateIsNotUsed) {
    const auto slot = reserve(12);
    ASSERT_TRUE(slot);
    clock.advance(seconds{2});  // The worker stood still.
    ASSERT_TRUE(keep(*slot, 12));
    EXPECT_EQ(leases, 2) << "its time was gone: another one was taken";
}

TEST_F(PacerTest, WhatIsMarkedDoesNotWaitForASliceBehindAWait) {
    VirtualTime time{TimePoint{}};
    time.attach(context);
    Pacer marked{context.get_executor(),
                 *this,
                 time,
                 {.account = "a", .per_second = rate / Pacer::used_share}};
    next_free = clock.steady_now() + seconds{8};  // Another replica was asked to wait.
    std::optional<bool> kept;
    const auto keep = [](Pacer& of, SteadyTime slot,
                         std::optional<bool>& answer) -> boost::asio::awaitable<void> {
        answer = co_await of.keep(slot, 1, slot + seconds{30});
    };
    time.run_for(seconds{1});  // The worker stood still: the slot is late.
    test::begin(context, keep(marked, SteadyTime{}, kept));
    time.run_for(milliseconds{100});
    EXPECT_EQ(kept, false) << "its job may be over by then";
    time.detach(context);
}

TEST_F(PacerTest, ASlotInItsTimeIsUsed) {
    const auto slot = reserve(12);
    ASSERT_TRUE(slot);
    ASSERT_TRUE(keep(*slot, 12));
    EXPECT_EQ(leases, 1);
}

TEST_F(PacerTest, IdleTimeIsNotSavedUp) {
    ASSERT_TRUE(reserve(10));
    clock.advance(milliseconds{100});  // Half of the slice's time, in which nobody asked.
    const auto slot = reserve(10);
    ASSERT_TRUE(slot);
    EXPECT_GE(*slot, clock.steady_now() - milliseconds{4});
    clock.advance(seconds{2});
    ASSERT_TRUE(reserve(10));
    EXPECT_EQ(leases, 2) << "nothing of the first slice is left";
}

TEST_F(PacerTest, ASliceThatArrivesLateIsNotUsed) {
    way = seconds{2};  // It stood still between the bucket's answer and reading it.
    const auto slot = reserve(33);
    ASSERT_TRUE(slot);
    EXPECT_EQ(leases, 2) << "all of the first slice is somebody else's time by now";
    EXPECT_GE(*slot, SteadyTime{seconds{2}});
}

TEST_F(PacerTest, ARequestForMoreThanASliceGetsItsTime) {
    const auto first = reserve(1'000);
    ASSERT_TRUE(first);
    EXPECT_EQ(leases, 1);
    const auto second = reserve(1'000);
    ASSERT_TRUE(second);
    EXPECT_GE(*second - *first, milliseconds{999});
}

TEST_F(PacerTest, NothingBeginsWhileTheProviderAskedToWait) {
    const auto slot = reserve(1);
    ASSERT_TRUE(slot);
    pacer.hold(seconds{10});
    EXPECT_FALSE(keep(*slot, 1)) << "though there would be time: its mark is old by then";
    EXPECT_FALSE(pacer.reserve_now(1, clock.steady_now() + seconds{30}));
    EXPECT_FALSE(reserve(1)) << "nobody waits for it with a turn";
    EXPECT_GT(pacer.blocked_for(), seconds{9});
    EXPECT_LE(pacer.blocked_for(), seconds{10});
}

TEST_F(PacerTest, AnotherRateLetsGoOfWhatWasLeased) {
    ASSERT_TRUE(reserve(10));
    rate = 100;
    pacer.set_rate(rate / Pacer::used_share);
    EXPECT_FALSE(pacer.reserve_now(1, clock.steady_now() + seconds{1})) << "the slice is gone";
    const auto first = reserve(1);
    const auto second = pacer.reserve_now(1, clock.steady_now() + seconds{1});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(std::chrono::round<milliseconds>(*second - *first), milliseconds{10});
    EXPECT_EQ(leases, 2);
    pacer.set_rate(rate / Pacer::used_share);
    EXPECT_TRUE(pacer.reserve_now(1, clock.steady_now() + seconds{1}))
        << "the same rate is no news";
}

TEST_F(PacerTest, ASliceOfTheRateBeforeIsNotUsed) {
    changes_to = 100;  // While the bucket is asked.
    const auto first = reserve(1);
    const auto second = pacer.reserve_now(1, clock.steady_now() + seconds{1});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(leases, 2);
    EXPECT_EQ(std::chrono::round<milliseconds>(*second - *first), milliseconds{10});
}

TEST_F(PacerTest, ASlotOfTheRateBeforeIsNotWaitedFor) {
    VirtualTime time{TimePoint{}};
    time.attach(context);
    next_free = clock.steady_now() + seconds{5};  // The provider asked everyone to wait.
    Pacer lower{context.get_executor(),
                *this,
                time,
                {.account = "a", .per_second = rate / Pacer::used_share}};
    std::optional<SteadyTime> slot;
    const auto wait = [](Pacer& of, SteadyTime latest,
                         std::optional<SteadyTime>& found) -> boost::asio::awaitable<void> {
        found = co_await of.reserve(1, latest);
    };
    test::begin(context, wait(lower, time.steady_now() + seconds{30}, slot));
    time.run_for(seconds{1});
    EXPECT_EQ(leases, 1);
    rate = 100;
    lower.set_rate(rate / Pacer::used_share);
    time.run_for(seconds{20});
    EXPECT_TRUE(slot);
    EXPECT_EQ(leases, 2);
    time.detach(context);
}

TEST_F(PacerTest, WhoStopsUsesUpItsSlice) {
    const auto first = reserve(10);
    ASSERT_TRUE(first);
    pacer.stop();
    EXPECT_TRUE(keep(*first, 10)) << "nobody else gets its time";
    const auto second = reserve(10);
    ASSERT_TRUE(second);
    EXPECT_GT(*second, *first);
    EXPECT_TRUE(pacer.reserve_now(1, clock.steady_now() + seconds{1}));
    EXPECT_FALSE(reserve(300)) << "more than the slice has left";
    EXPECT_EQ(leases, 1);
    clock.advance(seconds{1});
    EXPECT_FALSE(reserve(1)) << "its time is over";
    EXPECT_EQ(leases, 1);
}

TEST_F(PacerTest, WhoStopsDoesNotWaitForASliceFarAhead) {
    next_free = clock.steady_now() + seconds{3};  // Others have the time until then.
    EXPECT_FALSE(test::run(context, pacer.reserve(1, clock.steady_now() + seconds{1})));
    EXPECT_TRUE(pacer.reserve_now(1, clock.steady_now() + seconds{4})) << "a slice is in hand";
    pacer.stop();
    EXPECT_FALSE(pacer.reserve_now(1, clock.steady_now() + seconds{4}));
    EXPECT_FALSE(reserve(1));
}

TEST_F(PacerTest, WhoWaitsForASlotFarAheadHearsOfAStopAndOfA429) {
    for (const bool stops : {true, false}) {
        VirtualTime time{TimePoint{}};
        time.attach(context);
        Pacer far{context.get_executor(),
                  *this,
                  time,
                  {.account = "a", .per_second = rate / Pacer::used_share}};
        next_free = clock.steady_now() + seconds{8};
        std::optional<std::optional<SteadyTime>> slot;
        const auto wait = [](Pacer& of, SteadyTime latest,
                             auto& found) -> boost::asio::awaitable<void> {
            found = co_await of.reserve(1, latest);
        };
        test::begin(context, wait(far, time.steady_now() + seconds{30}, slot));
        time.run_for(seconds{1});
        ASSERT_FALSE(slot);
        if (stops) {
            far.stop();
        } else {
            far.hold(seconds{20});
        }
        time.run_for(milliseconds{300});
        ASSERT_TRUE(slot);
        EXPECT_FALSE(*slot);
        time.detach(context);
    }
}

TEST_F(PacerTest, WhoseSlotComesTooLateKnowsForHowLongNothingBegins) {
    next_free = clock.steady_now() + seconds{40};
    const auto latest = clock.steady_now() + seconds{30};
    EXPECT_FALSE(test::run(context, pacer.reserve(1, latest)));
    EXPECT_GT(pacer.blocked_for(latest), seconds{39}) << "not tried again and again until then";
    EXPECT_EQ(pacer.blocked_for(), milliseconds{0});
}

TEST_F(PacerTest, ALimitMayGoAndComeBack) {
    ASSERT_TRUE(reserve(1));
    pacer.set_rate(0);
    const auto slot = reserve(100'000);
    ASSERT_TRUE(slot);
    EXPECT_EQ(leases, 1) << "nothing is asked for";
    pacer.set_rate(rate / Pacer::used_share);
    ASSERT_TRUE(reserve(1));
    EXPECT_EQ(leases, 2);
}

TEST_F(PacerTest, WithoutALimitThereIsNothingToWaitFor) {
    Pacer free{context.get_executor(), *this, clock, {.account = "a"}};
    const auto slot = test::run(context, free.reserve(1'000, clock.steady_now() + seconds{1}));
    ASSERT_TRUE(slot);
    clock.advance(seconds{10});
    EXPECT_TRUE(test::run(context, free.keep(*slot, 1'000, clock.steady_now() + seconds{1})));
}

}  // namespace
}  // namespace fanfare
