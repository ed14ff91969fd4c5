#include "worker/sweep/outage.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class OutageTest : public ::testing::Test {
protected:
    static SteadyTime at(std::chrono::milliseconds time) { return SteadyTime{} + time; }
    /// A program that has been here for long.
    OutageTest() { outage.answered(at(-1h), at(-1h)); }
    Outage outage{60s};
    Outage ours{60s};  // Of a program that begins.
};

TEST_F(OutageTest, NeverWasAndIsOver) {
    EXPECT_TRUE(outage.is_over(at(0s)));
    outage.answered(at(1s), at(1s + 20ms));
    EXPECT_TRUE(outage.is_over(at(1s + 20ms)));
}

TEST_F(OutageTest, MayHaveEndedJustBeforeWeBegan) {
    ours.answered(at(0s), at(20ms));
    EXPECT_FALSE(ours.is_over(at(5s)));
    EXPECT_TRUE(ours.is_over(at(5s + 20ms)));
    ours.answered(at(6s), at(6s + 20ms));
    EXPECT_TRUE(ours.is_over(at(6s + 20ms)));
    Outage brief{2s};
    brief.answered(at(0s), at(0s));
    EXPECT_TRUE(brief.is_over(at(2s))) << "by then all leases have run out that were held";
}

TEST_F(OutageTest, ThatWasThereBeforeUsLastedNobodyKnowsHowLong) {
    ours.failed(at(0s));
    ours.failed(at(1s));
    ours.answered(at(2s), at(2s));
    EXPECT_FALSE(ours.is_over(at(61s)));
    EXPECT_TRUE(ours.is_over(at(62s)));
}

TEST_F(OutageTest, LastsOnForAsLongAsItLasted) {
    outage.answered(at(0s), at(0s));
    outage.failed(at(1s));
    EXPECT_FALSE(outage.is_over(at(10s)));
    outage.failed(at(5s));
    outage.answered(at(20s), at(21s));
    EXPECT_FALSE(outage.is_over(at(40s)));
    EXPECT_TRUE(outage.is_over(at(41s)));
}

TEST_F(OutageTest, LastsOnForALeaseAtMost) {
    outage.failed(at(0s));
    outage.answered(at(1'000s), at(1'000s));
    EXPECT_FALSE(outage.is_over(at(1'059s)));
    EXPECT_TRUE(outage.is_over(at(1'060s)));
}

TEST_F(OutageTest, IsAlsoAnAnswerThatTookLong) {
    outage.answered(at(0s), at(30s));
    EXPECT_FALSE(outage.is_over(at(59s)));
    EXPECT_TRUE(outage.is_over(at(60s)));
}

TEST_F(OutageTest, IsNotCutShortByALaterOne) {
    outage.failed(at(0s));
    outage.answered(at(30s), at(30s));
    outage.failed(at(31s));
    outage.answered(at(33s), at(33s));
    EXPECT_FALSE(outage.is_over(at(59s)));
    EXPECT_TRUE(outage.is_over(at(60s)));
}

}  // namespace
}  // namespace fanfare
