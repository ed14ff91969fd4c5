#include "worker/send/breaker.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BreakerTest : public ::testing::Test {
protected:
    void answer(bool good) {
        breaker.begin(now);
        breaker.answered(good, now);
    }
    void answer(bool good, int times) {
        for (int i = 0; i < times; ++i) answer(good);
    }
    [[nodiscard]] Breaker::State state() const { return breaker.state(now); }

    Moment now{seconds{1'000}};
    Breaker breaker{{.in_a_row = 3,
                     .answers_min = 10,
                     .share = 0.5,
                     .window = seconds{10},
                     .open_first = seconds{2},
                     .open_max = seconds{7}}};
};

TEST_F(BreakerTest, LetsEverythingThroughWhileAnswersAreGood) {
    answer(true, 100);
    EXPECT_EQ(state(), Breaker::State::closed);
    EXPECT_TRUE(breaker.lets_through(now));
    EXPECT_EQ(breaker.open_for(now), milliseconds{0});
}

TEST_F(BreakerTest, OpensAfterSoManyBadAnswersInARow) {
    answer(false, 2);
    answer(true);
    answer(false, 2);
    EXPECT_TRUE(breaker.lets_through(now)) << "two, one good, two";
    answer(false);
    EXPECT_EQ(state(), Breaker::State::open);
    EXPECT_FALSE(breaker.lets_through(now));
    EXPECT_EQ(breaker.open_for(now), seconds{2});
}

TEST_F(BreakerTest, OpensWhenMoreThanTheShareOfAWindowWasBad) {
    for (int i = 0; i < 4; ++i) {
        answer(false);
        answer(true);
        answer(false);
    }
    EXPECT_EQ(state(), Breaker::State::open);
}

TEST_F(BreakerTest, ForgetsBadAnswersOfAnEarlierWindow) {
    for (int i = 0; i < 3; ++i) {
        answer(false);
        answer(true);
        answer(false);
    }
    now += seconds{11};
    answer(true);
    EXPECT_EQ(state(), Breaker::State::closed);
}

TEST_F(BreakerTest, TriesOneRequestAfterAWhile) {
    answer(false, 3);
    now += milliseconds{1'999};
    EXPECT_FALSE(breaker.lets_through(now));
    now += milliseconds{1};
    EXPECT_EQ(state(), Breaker::State::half_open);
    EXPECT_TRUE(breaker.lets_through(now));
    breaker.begin(now);
    EXPECT_FALSE(breaker.lets_through(now)) << "one at a time";
}

TEST_F(BreakerTest, ClosesWhenTheProbeIsAnsweredWell) {
    answer(false, 3);
    now += seconds{2};
    answer(true);
    EXPECT_EQ(state(), Breaker::State::closed);
    answer(false, 2);
    EXPECT_EQ(state(), Breaker::State::closed) << "it counts anew";
}

TEST_F(BreakerTest, WaitsTwiceAsLongAfterEachFailedProbe) {
    answer(false, 3);
    now += seconds{2};
    answer(false);
    EXPECT_EQ(breaker.open_for(now), seconds{4});
    now += seconds{4};
    answer(false);
    EXPECT_EQ(breaker.open_for(now), seconds{7}) << "no longer than the most";
    now += seconds{7};
    answer(true);
    answer(false, 3);
    EXPECT_EQ(breaker.open_for(now), seconds{2}) << "the first wait again";
}

TEST_F(BreakerTest, BadAnswersToWhatBeganBeforeItOpenedDoNotProlongIt) {
    answer(false, 3);
    now += seconds{1};
    breaker.answered(false, now);
    EXPECT_EQ(breaker.open_for(now), seconds{1});
}

}  // namespace
}  // namespace fanfare
