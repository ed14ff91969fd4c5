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

    /// So many chunks, one after another, of so many people each.
    void know_to_be(std::size_t people, int chunks) {
        for (int i = 0; i < chunks; ++i) {
            LaneRoom::Place place{room};
            place.keep(people);
        }
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
    for (int lane = 0; lane < 100; ++lane) {
        come(1);
        if (places.size() == static_cast<std::size_t>(lane) + 1) places.back().keep(5);
    }
    EXPECT_EQ(places.size(), 40U) << "of 5 people each, and no room is left";
    EXPECT_EQ(room.free(), 0);
}

TEST_F(LaneRoomTest, WhatIsToBeExpectedIsTheLargestOfTheLastFew) {
    know_to_be(5, 15);
    come(2);
    EXPECT_EQ(room.free(), 0) << "at first a full one is";
    places.clear();
    know_to_be(5, 1);
    come(2);
    EXPECT_EQ(room.free(), 190);
    know_to_be(60, 1);
    come(1);
    EXPECT_EQ(room.free(), 130);
}

TEST_F(LaneRoomTest, OnlySoManyAreTakenWhoseSizeNobodyKnows) {
    know_to_be(5, 16);
    come(17);
    EXPECT_EQ(places.size(), 16U);
    places[0].keep(5);
    test::settle(context);
    EXPECT_EQ(places.size(), 17U);
}

TEST_F(LaneRoomTest, ALargerOneThanExpectedHasItsRoomAllTheSame) {
    know_to_be(5, 16);
    come(16);
    for (auto& place : places) place.keep(100);
    EXPECT_EQ(room.free(), 200 - 1'600);
    come(1);
    EXPECT_EQ(places.size(), 16U) << "nobody else comes until that is done";
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
