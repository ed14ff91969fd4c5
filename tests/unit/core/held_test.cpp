#include "core/kafka/held.hpp"

#include <gtest/gtest.h>

namespace fanfare::kafka {
namespace {

TEST(HeldTest, IsFullFromItsBoundOnUntilHalfIsFinished) {
    Held held{2, 100};
    held.take(1, 60);
    EXPECT_FALSE(held.is_full(1));
    held.take(1, 40);
    EXPECT_TRUE(held.is_full(1));
    held.give_back(1, 40);
    EXPECT_TRUE(held.is_full(1)) << "not on and off with every record";
    held.give_back(1, 10);
    EXPECT_FALSE(held.is_full(1));
    held.take(1, 40);
    EXPECT_FALSE(held.is_full(1));
}

TEST(HeldTest, CountsEachTopicByItself) {
    Held held{3, 10};
    held.take(0, 10);
    EXPECT_TRUE(held.is_full(0));
    EXPECT_FALSE(held.is_full(1));
    EXPECT_FALSE(held.is_full(2));
}

TEST(HeldTest, TakesARecordThatIsLargerThanAllItMayHold) {
    Held held{1, 10};
    held.take(0, 1'000'000);
    EXPECT_TRUE(held.is_full(0));
    held.give_back(0, 1'000'000);
    EXPECT_FALSE(held.is_full(0)) << "it would stand still for ever";
    EXPECT_EQ(held.bytes(0), 0U);
}

TEST(HeldTest, NeverOwesAnything) {
    Held held{1, 10};
    held.give_back(0, 5);
    held.take(0, 4);
    EXPECT_EQ(held.bytes(0), 4U);
}

}  // namespace
}  // namespace fanfare::kafka
