// Whose plans may read from their system's database while others hear nothing from it.
#include "worker/plan/source_turns.hpp"

#include "core/clock/virtual_time.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class SourceTurnsTest : public ::testing::Test {
protected:
    /// As many plans of `source` as may wait for it.
    std::vector<SourceTurns::Turn> fill(SourceTurns::Source source) {
        std::vector<SourceTurns::Turn> waiting;
        for (std::size_t i = 0; i < SourceTurns::waiting_max; ++i) {
            auto turn = turns.begin("job " + std::to_string(i), source, Lane::normal);
            if (turn) waiting.push_back(std::move(*turn));
        }
        EXPECT_EQ(waiting.size(), SourceTurns::waiting_max);
        return waiting;
    }
    bool may_begin(SourceTurns::Source source, Lane lane = Lane::normal) {
        return turns.begin("another", source, lane).has_value();
    }

    VirtualTime time{TimePoint{}};
    SourceTurns turns{time};
    const int a = 0, b = 0;  // Two systems' databases.
};

TEST_F(SourceTurnsTest, OneThatAnswersNobodyHoldsUpNoOther) {
    const auto waiting = fill(&a);
    EXPECT_TRUE(may_begin(&a)) << "nobody has waited";
    time.run_for(SourceTurns::patience);
    EXPECT_FALSE(may_begin(&a));
    EXPECT_TRUE(turns.is_full(&a));
    EXPECT_TRUE(may_begin(&b));
    EXPECT_FALSE(turns.is_full(&b));
}

TEST_F(SourceTurnsTest, AnAnswerMakesRoom) {
    auto waiting = fill(&a);
    time.run_for(SourceTurns::patience);
    waiting.front().heard();
    EXPECT_TRUE(may_begin(&a));
    waiting.front().asks();
    EXPECT_FALSE(may_begin(&a)) << "it waits for the next one, and the others still do";
}

TEST_F(SourceTurnsTest, SoDoesTheEndOfAPlan) {
    auto waiting = fill(&a);
    time.run_for(SourceTurns::patience);
    waiting.pop_back();
    EXPECT_TRUE(may_begin(&a));
}

TEST_F(SourceTurnsTest, TheUrgentWaitForNobodyButAnUrgentOne) {
    const auto giants = fill(&a);
    time.run_for(SourceTurns::patience);
    const auto urgent = turns.begin("urgent", &a, Lane::urgent);
    ASSERT_TRUE(urgent);
    EXPECT_TRUE(may_begin(&a, Lane::urgent));
    time.run_for(SourceTurns::patience);
    EXPECT_FALSE(may_begin(&a, Lane::urgent));
}

TEST_F(SourceTurnsTest, WhoWasRefusedIsUntilThereIsRoom) {
    auto waiting = fill(&a);
    time.run_for(SourceTurns::patience);
    EXPECT_FALSE(turns.is_refused("another"));
    EXPECT_FALSE(may_begin(&a));
    EXPECT_TRUE(turns.is_refused("another"));
    waiting.clear();
    EXPECT_FALSE(turns.is_refused("another"));
    waiting = fill(&a);
    time.run_for(SourceTurns::patience);
    EXPECT_FALSE(turns.is_refused("another")) << "it is not known any more";
}

TEST_F(SourceTurnsTest, ThoseAreStuckWhoHaveHeardNothingForAWhile) {
    auto waiting = fill(&a);
    EXPECT_EQ(turns.stuck(), 0U);
    time.run_for(SourceTurns::patience);
    EXPECT_EQ(turns.stuck(), 3U);
    waiting[0].heard();
    waiting[1].asks();
    EXPECT_EQ(turns.stuck(), 1U);
}

TEST_F(SourceTurnsTest, WhatIsMovedEndsOnce) {
    {
        auto turn = turns.begin("j", &a, Lane::normal);
        const std::optional<SourceTurns::Turn> moved{std::move(turn)};
        time.run_for(SourceTurns::patience);
        EXPECT_EQ(turns.stuck(), 1U);
    }
    EXPECT_EQ(turns.stuck(), 0U);
}

}  // namespace
}  // namespace fanfare
