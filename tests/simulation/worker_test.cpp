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

    /// The first of so many seeds at which something goes wrong, and what.
    /// FANFARE_SEEDS in the environment: so many instead.
    static std::string first_fault(WorldPlan plan, std::uint64_t seeds) {
        if (const char* const more = std::getenv("FANFARE_SEEDS")) seeds = std::stoull(more);
        for (plan.seed = 1; plan.seed <= seeds; ++plan.seed) {
            World world{plan};
            const auto why = world.run(60min);
            if (!why.empty()) return "seed " + std::to_string(plan.seed) + ": " + why;
        }
        return {};
    }
};

TEST_F(WorkerSimulation, EverybodyHasOneOutcomeWithAProviderInTrouble) {
    EXPECT_EQ(first_fault({}, 40), "");
}

TEST_F(WorkerSimulation, EverybodyIsToldByAProviderInGoodHealth) {
    WorldPlan plan;
    plan.odds = {0, 0, 0, 0, 0, 0, 0, 0};
    World world{plan};
    EXPECT_EQ(world.run(10min), "");
    EXPECT_EQ(world.inbox().accepted.size(), plan.chunks * plan.people_per_chunk);
    EXPECT_LE(world.took(), 3min);
}

TEST_F(WorkerSimulation, TheSameSeedIsTheSameWorld) {
    WorldPlan plan;
    plan.crashes = 2;
    World one{plan};
    World two{plan};
    EXPECT_EQ(one.run(60min), two.run(60min));
    EXPECT_EQ(one.took(), two.took());
    EXPECT_EQ(one.inbox().accepted, two.inbox().accepted);
}

TEST_F(WorkerSimulation, NobodyIsToldTwiceWhenWorkersDieAndStandStill) {
    WorldPlan plan;
    plan.crashes = 3;
    plan.pauses = 2;
    EXPECT_EQ(first_fault(plan, 60), "");
}

TEST_F(WorkerSimulation, ResendLosesNobodyWhenWorkersDieAndStandStill) {
    WorldPlan plan;
    plan.on_doubt = DoubtPolicy::resend;
    plan.crashes = 3;
    plan.pauses = 2;
    EXPECT_EQ(first_fault(plan, 60), "");
}

/// What each fault of the ledger comes to: the simulation must see it.
TEST_F(WorkerSimulation, FindsARecordWithoutFence) {
    WorldPlan plan;
    plan.fault = StoreFault::no_fence;
    plan.pauses = 3;
    EXPECT_NE(first_fault(plan, 200), "");
}

TEST_F(WorkerSimulation, FindsAClaimOfWhatSomebodyHolds) {
    WorldPlan plan;
    plan.fault = StoreFault::claims_claimed;
    plan.chunks = 24;
    EXPECT_NE(first_fault(plan, 200), "");
}

TEST_F(WorkerSimulation, FindsMarksThatAreForgotten) {
    WorldPlan plan;
    plan.fault = StoreFault::forgets_mark;
    plan.crashes = 3;
    EXPECT_NE(first_fault(plan, 200), "");
}

}  // namespace
}  // namespace fanfare::simulation
