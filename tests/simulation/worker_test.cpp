#include "tests/simulation/search.hpp"
#include "tests/simulation/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <string>

namespace fanfare::simulation {
namespace {

using namespace std::chrono_literals;

class WorkerSimulation : public ::testing::Test {
protected:
    WorkerSimulation() { spdlog::set_level(spdlog::level::off); }
    ~WorkerSimulation() override { spdlog::set_level(spdlog::level::info); }

    /// The first of so many worlds in which something goes wrong: what, and what happened there.
    /// FANFARE_SEEDS in the environment: so many instead.
    static std::string first_fault(const Plans& plans, std::uint64_t seeds) {
        if (const char* const more = std::getenv("FANFARE_SEEDS")) seeds = std::stoull(more);
        const auto found = search(plans, 1, seeds);
        if (found.why.empty()) return {};
        const auto small = shrink(plans(found.seed));
        return "seed " + std::to_string(found.seed) + ": " + found.why + "\n" + tell(small);
    }
    static std::string first_fault(const WorldPlan& plan, std::uint64_t seeds) {
        return first_fault(
            [&plan](std::uint64_t seed) {
                auto one = plan;
                one.seed = seed;
                for (auto kind : {MoveKind::crash, MoveKind::pause}) {
                    add_moves(one, kind, plan.count(kind));
                }
                return one;
            },
            seeds);
    }
    static WorldPlan plan_with(std::size_t crashes, std::size_t pauses) {
        WorldPlan plan;
        add_moves(plan, MoveKind::crash, crashes);
        add_moves(plan, MoveKind::pause, pauses);
        return plan;
    }
};

TEST_F(WorkerSimulation, WorldsOfEveryKindKeepTheirPromises) {
    EXPECT_EQ(first_fault([](std::uint64_t seed) { return plan_of(seed); }, 400), "");
}

TEST_F(WorkerSimulation, EverybodyHasOneOutcomeWithAProviderInTrouble) {
    EXPECT_EQ(first_fault(WorldPlan{}, 40), "");
}

TEST_F(WorkerSimulation, EverybodyIsToldByAProviderInGoodHealth) {
    WorldPlan plan;
    plan.odds = calm;
    World world{plan};
    EXPECT_EQ(world.run(10min).first(), "");
    EXPECT_EQ(world.inbox().devices().size(), plan.chunks * plan.people);
    for (const auto& [address, device] : world.inbox().devices()) EXPECT_EQ(device.accepted, 1);
    EXPECT_LE(world.took(), 3min);
}

TEST_F(WorkerSimulation, TheSameSeedIsTheSameWorld) {
    const auto plan = plan_of(12);
    World one{plan, true};
    World two{plan, true};
    EXPECT_EQ(one.run(15min).first(), two.run(15min).first());
    EXPECT_EQ(one.story(), two.story());
    EXPECT_NE(one.story(), "");
}

TEST_F(WorkerSimulation, AStoryChangesNothing) {
    const auto plan = plan_of(7);
    World silent{plan};
    World told{plan, true};
    EXPECT_EQ(silent.run(15min).first(), told.run(15min).first());
    EXPECT_EQ(silent.took(), told.took());
    EXPECT_EQ(silent.story(), "");
}

TEST_F(WorkerSimulation, NobodyIsToldTwiceWhenWorkersDieAndStandStill) {
    EXPECT_EQ(first_fault(plan_with(3, 2), 60), "");
}

TEST_F(WorkerSimulation, ResendLosesNobodyWhenWorkersDieAndStandStill) {
    auto plan = plan_with(3, 2);
    plan.on_doubt = DoubtPolicy::resend;
    EXPECT_EQ(first_fault(plan, 60), "");
}

TEST_F(WorkerSimulation, WhatIsMarkedDoesNotWaitOutA429) {
    const auto plans = [](std::uint64_t seed) {
        WorldPlan plan;
        plan.seed = seed;
        plan.chunks = 4;
        plan.people = 8;
        plan.workers = 1;
        plan.odds = calm;
        plan.odds.throttled = 40;
        add_moves(plan, MoveKind::cancel, 2);
        return plan;
    };
    EXPECT_EQ(first_fault(plans, 100), "");
}

TEST_F(WorkerSimulation, AWorldThatFailsShrinks) {
    const auto plans = [](std::uint64_t seed) { return plan_of(seed, Plant::no_fence); };
    const auto found = search(plans, 1, 2'000);
    ASSERT_NE(found.why, "");
    const auto plan = plans(found.seed);
    const auto small = shrink(plan);
    EXPECT_NE(try_plan(small), "");
    EXPECT_LE(small.chunks * small.people * small.jobs, plan.chunks * plan.people * plan.jobs);
    EXPECT_LE(small.moves.size(), plan.moves.size());
    EXPECT_THAT(tell(small), ::testing::HasSubstr("in the end: "));
}

/// What each planted fault comes to: the simulation must see it.
class PlantedFault : public ::testing::TestWithParam<NamedPlant> {};

TEST_P(PlantedFault, IsFound) {
    const auto plant = GetParam().plant;
    constexpr std::uint64_t seeds_max = 3'000;
    const auto found =
        search([plant](std::uint64_t seed) { return plan_of(seed, plant); }, 1, seeds_max);
    EXPECT_NE(found.why, "") << "in " << seeds_max << " worlds";
    EXPECT_THAT(found.why, ::testing::Not(::testing::HasSubstr("died"))) << "this proves nothing";
    RecordProperty("seed", std::to_string(found.seed));
    RecordProperty("why", found.why);
}

INSTANTIATE_TEST_SUITE_P(All, PlantedFault, ::testing::ValuesIn(all_plants),
                         [](const auto& one) { return std::string{one.param.name}; });

}  // namespace
}  // namespace fanfare::simulation
