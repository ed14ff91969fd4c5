#include "tests/simulation/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
    static std::string first_fault(const WorldPlan& plan, std::uint64_t seeds) {
        if (const char* const more = std::getenv("FANFARE_SEEDS")) seeds = std::stoull(more);
        for (std::uint64_t first = 1; first <= seeds; first += seeds_per_child) {
            const auto last = std::min(seeds, first + seeds_per_child - 1);
            auto why = ask_child(plan, first, last);
            if (!why.empty()) return why;
        }
        return {};
    }

private:
    static constexpr std::uint64_t seeds_per_child = 50;

    static std::string look_at(WorldPlan plan, std::uint64_t first, std::uint64_t last) {
        for (plan.seed = first; plan.seed <= last; ++plan.seed) {
            World world{plan};
            const auto why = world.run(60min);
            if (!why.empty()) return "seed " + std::to_string(plan.seed) + ": " + why;
        }
        return {};
    }

    /// In a process of its own, with which ends what the killed workers had.
    static std::string ask_child(const WorldPlan& plan, std::uint64_t first, std::uint64_t last) {
        std::array<int, 2> ends{};
        if (pipe(ends.data()) != 0) return "no pipe";
        const pid_t child = fork();
        if (child == 0) {
            const auto why = look_at(plan, first, last);
            const auto written = write(ends[1], why.data(), why.size());
            std::_Exit(written == static_cast<ssize_t>(why.size()) ? 0 : 1);
        }
        close(ends[1]);
        std::string why;
        std::array<char, 1024> bytes{};
        for (ssize_t count = 0; (count = read(ends[0], bytes.data(), bytes.size())) > 0;) {
            why.append(bytes.data(), static_cast<std::size_t>(count));
        }
        close(ends[0]);
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0) {
            return "seeds " + std::to_string(first) + " to " + std::to_string(last) + ": it died";
        }
        return why;
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

/// Seen by the judge; a world that died by itself proves nothing.
const auto is_a_fault =
    ::testing::AllOf(::testing::Not(""), ::testing::Not(::testing::HasSubstr("it died")),
                     ::testing::Not(::testing::HasSubstr("no pipe")));

/// What each fault of the ledger comes to: the simulation must see it.
TEST_F(WorkerSimulation, FindsARecordWithoutFence) {
    WorldPlan plan;
    plan.fault = StoreFault::no_fence;
    plan.pauses = 3;
    EXPECT_THAT(first_fault(plan, 200), is_a_fault);
}

TEST_F(WorkerSimulation, FindsAClaimOfWhatSomebodyHolds) {
    WorldPlan plan;
    plan.fault = StoreFault::claims_claimed;
    plan.chunks = 24;
    EXPECT_THAT(first_fault(plan, 200), is_a_fault);
}

TEST_F(WorkerSimulation, FindsMarksThatAreForgotten) {
    WorldPlan plan;
    plan.fault = StoreFault::forgets_mark;
    plan.crashes = 3;
    EXPECT_THAT(first_fault(plan, 200), is_a_fault);
}

}  // namespace
}  // namespace fanfare::simulation
