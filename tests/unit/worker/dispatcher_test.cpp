#include "worker/send/dispatcher.hpp"

#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DispatcherTest : public ::testing::Test {
protected:
    bool push(Lane lane, Channel channel, std::int32_t number) {
        return pushed(lane, channel, number) == Pushed::kept;
    }
    Pushed pushed(Lane lane, Channel channel, std::int32_t number) {
        return dispatcher.push(lane, {{"job", channel, number}, std::nullopt});
    }

    /// Serves a channel until the dispatcher stops; numbers of its chunks go to `out`.
    asio::awaitable<void> serve(Channel channel, bool urgent_only, std::vector<std::int32_t>& out,
                                bool* stopped = nullptr) {
        while (auto descriptor = co_await dispatcher.next(channel, urgent_only)) {
            EXPECT_EQ(descriptor->key.channel, channel);
            out.push_back(descriptor->key.number);
        }
        if (stopped != nullptr) *stopped = true;
    }

    void TearDown() override {
        dispatcher.stop();
        test::settle(context);
    }

    asio::io_context context{1};
    ManualClock clock{TimePoint{}};
    Dispatcher dispatcher{context.get_executor(), clock, std::chrono::seconds{30}};
    std::vector<std::int32_t> served;
};

TEST_F(DispatcherTest, ServesTheMostUrgentLaneFirst) {
    EXPECT_TRUE(push(Lane::bulk, Channel::email, 30));
    EXPECT_TRUE(push(Lane::normal, Channel::email, 20));
    EXPECT_TRUE(push(Lane::urgent, Channel::email, 10));
    EXPECT_TRUE(push(Lane::bulk, Channel::email, 31));
    EXPECT_TRUE(push(Lane::urgent, Channel::email, 11));
    EXPECT_EQ(dispatcher.waiting(), 5U);

    test::begin(context, serve(Channel::email, false, served));
    test::settle(context);
    EXPECT_THAT(served, ElementsAre(10, 11, 20, 30, 31));
    EXPECT_EQ(dispatcher.waiting(), 0U);
}

TEST_F(DispatcherTest, APausedChannelWaitsAndNoOther) {
    EXPECT_TRUE(push(Lane::urgent, Channel::email, 1));
    EXPECT_TRUE(push(Lane::normal, Channel::sms, 2));
    dispatcher.set_paused(Channel::email, true);
    test::begin(context, serve(Channel::email, false, served));
    test::begin(context, serve(Channel::sms, false, served));
    test::settle(context);
    EXPECT_THAT(served, ElementsAre(2));
    for (const auto& room : dispatcher.rooms(10)) EXPECT_NE(room.channel, Channel::email);
    EXPECT_TRUE(push(Lane::urgent, Channel::email, 3)) << "what comes in waits";
    dispatcher.set_paused(Channel::email, false);
    test::settle(context);
    EXPECT_THAT(served, ElementsAre(2, 1, 3));
    EXPECT_EQ(dispatcher.rooms(10).size(), channel_count * lane_count);
}

TEST_F(DispatcherTest, WakesThoseWhoWait) {
    test::begin(context, serve(Channel::push, false, served));
    test::settle(context);
    EXPECT_TRUE(push(Lane::normal, Channel::push, 1));
    test::settle(context);
    EXPECT_THAT(served, ElementsAre(1));
}

TEST_F(DispatcherTest, KeepsAPlaceForUrgentWork) {
    test::begin(context, serve(Channel::email, true, served));
    EXPECT_TRUE(push(Lane::bulk, Channel::email, 3));
    EXPECT_TRUE(push(Lane::normal, Channel::email, 2));
    test::settle(context);
    EXPECT_THAT(served, IsEmpty());
    EXPECT_TRUE(push(Lane::urgent, Channel::email, 1));
    test::settle(context);
    EXPECT_THAT(served, ElementsAre(1));
    EXPECT_EQ(dispatcher.waiting(), 2U);
}

TEST_F(DispatcherTest, BeyondItsBoundKeysAreNotedAndThenLeftToTheSweep) {
    const auto all = Dispatcher::queue_max + Dispatcher::noted_max;
    for (std::size_t i = 0; i < all; ++i) {
        const auto expected = i < Dispatcher::queue_max ? Pushed::kept : Pushed::noted;
        ASSERT_EQ(pushed(Lane::bulk, Channel::email, static_cast<std::int32_t>(i)), expected);
    }
    EXPECT_EQ(pushed(Lane::bulk, Channel::email, -1), Pushed::left);
    EXPECT_TRUE(push(Lane::urgent, Channel::email, 1)) << "bulk never shuts out urgent work";
    EXPECT_TRUE(push(Lane::bulk, Channel::sms, 1)) << "nor another channel";
    EXPECT_EQ(dispatcher.waiting(), all + 2);

    test::begin(context, serve(Channel::email, false, served));
    test::settle(context);
    ASSERT_EQ(served.size(), all + 1);
    EXPECT_TRUE(std::is_sorted(served.begin() + 1, served.end())) << "as they came";
    EXPECT_TRUE(push(Lane::bulk, Channel::email, 2)) << "there is room again";
}

TEST_F(DispatcherTest, WhatIsNotedForTooLongIsTheSweeps) {
    for (std::size_t i = 0; i < Dispatcher::queue_max; ++i) {
        ASSERT_TRUE(push(Lane::bulk, Channel::email, 0));
    }
    EXPECT_EQ(pushed(Lane::bulk, Channel::email, 1), Pushed::noted);
    clock.advance(std::chrono::seconds{20});
    EXPECT_EQ(pushed(Lane::bulk, Channel::email, 2), Pushed::noted);
    clock.advance(std::chrono::seconds{10});
    test::begin(context, serve(Channel::email, false, served));
    test::settle(context);
    ASSERT_EQ(served.size(), Dispatcher::queue_max + 1);
    EXPECT_EQ(served.back(), 2);
    EXPECT_EQ(dispatcher.waiting(), 0U);
}

TEST_F(DispatcherTest, DoesNotHoldUpOneChannelForAnother) {
    EXPECT_TRUE(push(Lane::urgent, Channel::email, 1));
    EXPECT_TRUE(push(Lane::bulk, Channel::sms, 2));
    test::begin(context, serve(Channel::sms, false, served));
    test::settle(context);
    EXPECT_THAT(served, ElementsAre(2)) << "nobody serves e-mail, and SMS goes on";
}

TEST_F(DispatcherTest, GivesEachChunkToOne) {
    std::vector<std::int32_t> other;
    test::begin(context, serve(Channel::email, false, served));
    test::begin(context, serve(Channel::email, false, other));
    test::settle(context);
    for (std::int32_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(push(Lane::normal, Channel::email, i));
        if (i % 3 == 0) test::settle(context);
    }
    test::settle(context);
    served.insert(served.end(), other.begin(), other.end());
    std::sort(served.begin(), served.end());
    ASSERT_EQ(served.size(), 100U);
    EXPECT_EQ(std::adjacent_find(served.begin(), served.end()), served.end());
}

TEST_F(DispatcherTest, LetsEveryoneGoWhenItStops) {
    bool stopped = false;
    bool urgent_stopped = false;
    test::begin(context, serve(Channel::email, false, served, &stopped));
    test::begin(context, serve(Channel::sms, true, served, &urgent_stopped));
    test::settle(context);
    EXPECT_FALSE(stopped);

    dispatcher.stop();
    test::settle(context);
    EXPECT_TRUE(stopped);
    EXPECT_TRUE(urgent_stopped);
    EXPECT_EQ(pushed(Lane::urgent, Channel::email, 1), Pushed::left);
}

TEST_F(DispatcherTest, LeavesWhatWaitsToTheSweeperWhenItStops) {
    bool stopped = false;
    EXPECT_TRUE(push(Lane::normal, Channel::email, 1));
    dispatcher.stop();
    test::begin(context, serve(Channel::email, false, served, &stopped));
    test::settle(context);
    EXPECT_TRUE(stopped);
    EXPECT_THAT(served, IsEmpty());
}

TEST_F(DispatcherTest, SaysForWhatThereIsRoom) {
    const auto room = [this](Channel channel, Lane lane) -> std::int64_t {
        for (const auto& one : dispatcher.rooms(3)) {
            if (one.channel == channel && one.lane == lane) return one.chunks;
        }
        return 0;
    };
    EXPECT_EQ(dispatcher.rooms(3).size(), channel_count * lane_count);
    for (std::int32_t i = 0; i < 5; ++i) EXPECT_TRUE(push(Lane::bulk, Channel::sms, i));
    EXPECT_TRUE(push(Lane::urgent, Channel::sms, 9));
    EXPECT_EQ(room(Channel::sms, Lane::bulk), 0);
    EXPECT_EQ(room(Channel::sms, Lane::urgent), 2);
    EXPECT_EQ(room(Channel::push, Lane::bulk), 3);
    dispatcher.set_held(true);
    EXPECT_THAT(dispatcher.rooms(3), IsEmpty());
    dispatcher.set_held(false);
    EXPECT_EQ(room(Channel::push, Lane::bulk), 3);
    dispatcher.stop();
    EXPECT_THAT(dispatcher.rooms(3), IsEmpty());
}

TEST_F(DispatcherTest, WhoSendsMuchHasRoomForMuch) {
    const auto room = [this]() -> std::int64_t {
        for (const auto& one : dispatcher.rooms(3)) {
            if (one.channel == Channel::email && one.lane == Lane::bulk) return one.chunks;
        }
        return 0;
    };
    test::begin(context, serve(Channel::email, false, served));
    for (std::int32_t i = 0; i < 100; ++i) EXPECT_TRUE(push(Lane::bulk, Channel::email, i));
    test::settle(context);
    EXPECT_EQ(room(), 200);
    EXPECT_EQ(room(), 3) << "nothing since";
}

}  // namespace
}  // namespace fanfare
