#include "worker/send/breaker.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BreakerTest : public ::testing::Test {
protected:
    void answer(bool good, std::size_t people = 1) {
        const auto era = breaker.begin(people, now);
        breaker.answered(era, good, people, now);
    }
    void answers(bool good, int times, std::size_t people = 1) {
        for (int i = 0; i < times; ++i) answer(good, people);
    }
    /// As after a while of good answers.
    void prove() {
        answers(true, 3);
        ASSERT_TRUE(breaker.is_proven(now));
    }
    [[nodiscard]] bool lets_through() const { return breaker.room(now) > 0; }
    [[nodiscard]] Breaker::State state() const { return breaker.state(now); }

    SteadyTime now{seconds{1'000}};
    Breaker breaker{{.in_a_row = 3,
                     .few_in_a_row = 2,
                     .people_in_a_row = 30,
                     .answers_min = 10,
                     .share = 0.5,
                     .window = seconds{10},
                     .open_first = seconds{2},
                     .open_max = seconds{7},
                     .unproven_people = 10,
                     .proven_people = 1'000,
                     .proven_for = seconds{60}}};
};

TEST_F(BreakerTest, LetsEverythingThroughWhileAnswersAreGood) {
    answers(true, 100);
    EXPECT_EQ(state(), Breaker::State::closed);
    EXPECT_TRUE(lets_through());
    EXPECT_EQ(breaker.open_for(now), milliseconds{0});
}

TEST_F(BreakerTest, OpensAfterSoManyBadAnswersInARow) {
    answers(false, 2);
    answer(true);
    answers(false, 2);
    EXPECT_TRUE(lets_through()) << "two, one good, two";
    answer(false);
    EXPECT_EQ(state(), Breaker::State::open);
    EXPECT_FALSE(lets_through());
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

TEST_F(BreakerTest, BearsThatEveryOtherAnswerIsBadAndNoMoreThanThat) {
    for (int i = 0; i < 50; ++i) {
        answer(true);
        answer(false);
        ASSERT_EQ(state(), Breaker::State::closed) << "half is not more than half";
        ASSERT_EQ(breaker.room(now), 10U) << "but it is asked for few at once";
    }
    answer(false);
    EXPECT_EQ(state(), Breaker::State::open) << "51 of 101";
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
    answers(false, 3);
    now += milliseconds{1'999};
    EXPECT_FALSE(lets_through());
    now += milliseconds{1};
    EXPECT_EQ(state(), Breaker::State::half_open);
    EXPECT_TRUE(lets_through());
    EXPECT_EQ(breaker.room(now), 1U) << "and for one person";
    std::ignore = breaker.begin(1, now);
    EXPECT_FALSE(lets_through()) << "one at a time";
}

TEST_F(BreakerTest, ClosesWhenTheProbeIsAnsweredWell) {
    answers(false, 3);
    now += seconds{2};
    answer(true);
    EXPECT_EQ(state(), Breaker::State::closed);
    answers(false, 2);
    EXPECT_EQ(state(), Breaker::State::closed) << "it counts anew";
}

TEST_F(BreakerTest, WaitsTwiceAsLongAfterEachFailedProbe) {
    answers(false, 3);
    now += seconds{2};
    answer(false);
    EXPECT_EQ(breaker.open_for(now), seconds{4});
    now += seconds{4};
    answer(false);
    EXPECT_EQ(breaker.open_for(now), seconds{7}) << "no longer than the most";
    now += seconds{7};
    answer(true);
    answers(false, 3);
    EXPECT_EQ(breaker.open_for(now), seconds{2}) << "the first wait again";
}

TEST_F(BreakerTest, BadAnswersToWhatBeganBeforeItOpenedDoNotProlongIt) {
    const auto before = breaker.begin(1, now);
    answers(false, 3);
    now += seconds{1};
    breaker.answered(before, false, 1, now);
    EXPECT_EQ(breaker.open_for(now), seconds{1});
    now += seconds{1};
    const auto probe = breaker.begin(1, now);
    EXPECT_NE(probe, before);
    EXPECT_EQ(state(), Breaker::State::half_open) << "its own answer counts";
    breaker.answered(probe, true, 1, now);
    EXPECT_EQ(state(), Breaker::State::closed);
}

TEST_F(BreakerTest, AProbeThatWasNotBegunLeavesItsPlaceToAnother) {
    answers(false, 3);
    now += seconds{2};
    const auto probe = breaker.begin(1, now);
    EXPECT_FALSE(lets_through());
    breaker.taken_back(probe, 1);
    EXPECT_TRUE(lets_through());
}

TEST_F(BreakerTest, TrustsAnAccountStepByStep) {
    EXPECT_EQ(breaker.room(now), 10U);
    const auto era = breaker.begin(10, now);
    EXPECT_EQ(breaker.room(now), 0U) << "no more than that before it answers";
    breaker.answered(era, true, 10, now);
    EXPECT_EQ(breaker.room(now), 100U);
    answer(true, 100);
    EXPECT_EQ(breaker.room(now), 1'000U);
    EXPECT_FALSE(breaker.is_proven(now));
    answer(true, 1'000);
    EXPECT_TRUE(breaker.is_proven(now));
}

TEST_F(BreakerTest, CountsPeopleAndNotCalls) {
    answer(false, 10);
    EXPECT_EQ(state(), Breaker::State::closed) << "one call says little";
    answer(false, 20);
    EXPECT_EQ(state(), Breaker::State::open);
}

TEST_F(BreakerTest, ABadAnswerStopsAllButWhatIsUnderWay) {
    prove();
    const auto era = breaker.begin(1'000, now);
    std::ignore = breaker.begin(1'000, now);
    EXPECT_TRUE(breaker.is_proven(now));
    breaker.answered(era, false, 1'000, now);
    EXPECT_EQ(breaker.room(now), 0U) << "a thousand are under way, and ten may be";
    breaker.answered(era, true, 1'000, now);
    EXPECT_EQ(breaker.room(now), 100U) << "a good answer speaks for it again";
}

TEST_F(BreakerTest, WhoWasSilentForLongHasToProveItself) {
    prove();
    now += seconds{60};
    EXPECT_EQ(breaker.room(now), 1'000U);
    now += seconds{1};
    EXPECT_EQ(breaker.room(now), 10U);
    answer(true);
    EXPECT_EQ(breaker.room(now), 100U);
}

TEST_F(BreakerTest, AProvenOneThatHasRestedIsNotAskedForEverythingAtOnce) {
    prove();
    now += seconds{1};
    EXPECT_TRUE(breaker.is_proven(now)) << "a breath is no rest";
    now += milliseconds{1};
    EXPECT_EQ(breaker.room(now), 1'000U);
    const auto first = breaker.begin(1'000, now);
    EXPECT_EQ(breaker.room(now), 0U) << "a call of a thousand, not one for each permit";
    breaker.answered(first, true, 1'000, now);
    EXPECT_TRUE(breaker.is_proven(now)) << "one answer is enough";
    std::ignore = breaker.begin(1'000, now);
    now += milliseconds{1'500};
    EXPECT_TRUE(breaker.is_proven(now)) << "it is at work";
}

TEST_F(BreakerTest, AProvenOneThatStallsIsAskedForNoMoreThanOneThatIsNot) {
    prove();
    const auto first = breaker.begin(1'000, now);
    breaker.departed(now);
    now += seconds{1};
    std::ignore = breaker.begin(4, now);
    breaker.departed(now);
    now += seconds{1};
    EXPECT_TRUE(breaker.is_proven(now)) << "answers may take so long";
    now += milliseconds{1};
    EXPECT_EQ(breaker.room(now), 0U) << "a thousand are under way, and ten may be";
    EXPECT_FALSE(breaker.is_proven(now));
    breaker.answered(first, true, 1'000, now, seconds{2});
    EXPECT_TRUE(breaker.is_proven(now)) << "it lives";
}

TEST_F(BreakerTest, OneSlowAnswerIsNoStallWhileOthersAreAnswered) {
    prove();
    std::ignore = breaker.begin(1'000, now);
    breaker.departed(now);
    for (int i = 0; i < 10; ++i) {
        const auto era = breaker.begin(100, now);
        breaker.departed(now);
        now += seconds{1};
        breaker.answered(era, true, 100, now, seconds{1});
        EXPECT_TRUE(breaker.is_proven(now));
    }
}

TEST_F(BreakerTest, KnowsWhoIsUsuallySlow) {
    prove();
    const auto slow = breaker.begin(1'000, now);
    breaker.departed(now);
    now += seconds{5};
    breaker.answered(slow, true, 1'000, now, seconds{5});
    std::ignore = breaker.begin(1'000, now);
    breaker.departed(now);
    now += seconds{15};
    EXPECT_TRUE(breaker.is_proven(now));
    now += milliseconds{1};
    EXPECT_FALSE(breaker.is_proven(now));
}

TEST_F(BreakerTest, WhatHasNotDepartedIsNoStall) {
    prove();
    const auto era = breaker.begin(1'000, now);
    now += seconds{30};
    EXPECT_TRUE(breaker.is_proven(now)) << "the ledger may be away, or its slot far";
    breaker.taken_back(era, 1'000);
    EXPECT_EQ(breaker.room(now), 1'000U);
}

TEST_F(BreakerTest, AfterAProbeItBeginsSmall) {
    prove();
    answers(false, 3);
    now += seconds{2};
    answer(true);
    EXPECT_EQ(breaker.room(now), 10U);
}

}  // namespace
}  // namespace fanfare
