#include "producer/http/body_room.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace fanfare {
namespace {

TEST(BodyRoom, IsGivenBackAndShared) {
    BodyRoom room{{.all = 100, .a_peer = 60}};
    auto first = std::make_unique<BodyRoom::Share>(room, "a");
    EXPECT_TRUE(first->grow_to(0));
    EXPECT_TRUE(first->grow_to(40));
    EXPECT_TRUE(first->grow_to(50));
    EXPECT_TRUE(first->grow_to(50)) << "has it already";
    BodyRoom::Share second{room, "a"};
    EXPECT_TRUE(second.grow_to(10));
    EXPECT_FALSE(second.grow_to(11)) << "the peer has its part";
    BodyRoom::Share other{room, "b"};
    EXPECT_TRUE(other.grow_to(40));
    EXPECT_FALSE(other.grow_to(41)) << "there is no more";
    first.reset();
    EXPECT_TRUE(other.grow_to(60));
    EXPECT_FALSE(other.grow_to(61));
    EXPECT_TRUE(second.grow_to(40));
}

TEST(BodyRoom, HasNoPartsWherePeersAreProxies) {
    BodyRoom room{{.all = 100}};
    BodyRoom::Share first{room, "a"};
    BodyRoom::Share second{room, "a"};
    EXPECT_TRUE(first.grow_to(99));
    EXPECT_TRUE(second.grow_to(1));
    EXPECT_FALSE(second.grow_to(2));
}

}  // namespace
}  // namespace fanfare
