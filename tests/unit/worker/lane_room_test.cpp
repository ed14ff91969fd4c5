#include "worker/send/lane_room.hpp"

#include "tests/support/coroutines.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;

class LaneRoomTest : public ::testing::Test {
protected:
    asio::awaitable<void> come() { places.push_back(co_await room.enter()); }
    void come(int lanes) {
        for (int i = 0; i < lanes; ++i) test::begin(context, come());
        test::settle(context);
    }

    asio::io_context context{1};
    LaneRoom room{context.get_executor(), 100, 2};
    std::vector<LaneRoom::Place> places;
};

TEST_F(LaneRoomTest, FullChunksAreAsManyAsTheSettingHas) {
    come(3);
    EXPECT_EQ(places.size(), 2U);
    EXPECT_EQ(room.free(), 0);
}

TEST_F(LaneRoomTest, WhatAChunkDoesNotNeedIsAnothersRoom) {
    come(3);
    places[0].keep(60);
    test::settle(context);
    EXPECT_EQ(places.size(), 2U) << "a full one would not fit";
    places[1].keep(40);
    test::settle(context);
    EXPECT_EQ(places.size(), 3U);
    EXPECT_EQ(room.free(), 0);
}

TEST_F(LaneRoomTest, ManySmallChunksAreAsManyPeopleAsFewFullOnes) {
    constexpr std::size_t people = 5;
    for (int lane = 0; lane < 21; ++lane) {
        come(1);
        ASSERT_EQ(places.size(), static_cast<std::size_t>(lane) + 1);
        places.back().keep(people);
    }
    come(1);
    EXPECT_EQ(places.size(), 21U) << "105 are in hand, and a full chunk would be too many";
}

TEST_F(LaneRoomTest, AChunkThatIsLargerThanFullTakesTheRoomOfOne) {
    come(2);
    places[0].keep(1'000);
    EXPECT_EQ(room.free(), 0);
}

TEST_F(LaneRoomTest, WhoLeavesMakesRoom) {
    come(3);
    places.erase(places.begin());
    test::settle(context);
    EXPECT_EQ(places.size(), 2U);
    places.clear();
    EXPECT_EQ(room.free(), 200);
}

}  // namespace
}  // namespace fanfare
