// Whom giants that are planned give way to, and who stands in for plans that hear nothing.
#include "tests/unit/worker/plan_queue_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using PlanQueueBesideTest = test::PlanQueueTest;

TEST_F(PlanQueueBesideTest, AGiantGivesWayToThoseOfItsLaneAndOfMoreUrgentOnes) {
    occupy();
    queue->add("bulk", Lane::bulk);
    for (int i = 0; i < 3; ++i) queue->add("job " + std::to_string(i), Lane::normal);
    queue->add("urgent", Lane::urgent);
    std::vector<std::vector<std::string>> beside;
    const PlanQueue::Plan note = [&](std::span<const std::string> jobs) {
        beside.emplace_back(jobs.begin(), jobs.end());
        return PlanQueue::Waits(jobs.size());
    };
    for (int fetch = 0; fetch < 4; ++fetch) queue->give_way(Lane::normal, note, 2);
    EXPECT_THAT(beside, ElementsAre(ElementsAre("urgent"), ElementsAre("job 0", "job 1"),
                                    ElementsAre("job 2")))
        << "and nobody of a lane that is less urgent than its own";
    queue->add("job 0", Lane::normal);
    planner.let_go("slow");
    planner.await("bulk");
    EXPECT_THAT(rest(), ElementsAre("job 0", "bulk")) << "it is known no more";
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueBesideTest, WhatIsNotSmallIsLeftToTheThreads) {
    occupy();
    queue->add("giant", Lane::normal);
    queue->add("later", Lane::normal);
    queue->add("small", Lane::normal);
    std::vector<std::string> beside;
    const PlanQueue::Plan plan = [&](std::span<const std::string> jobs) {
        beside.insert(beside.end(), jobs.begin(), jobs.end());
        return PlanQueue::Waits{milliseconds{0}, hours{1}, std::nullopt};
    };
    for (int fetch = 0; fetch < 3; ++fetch) queue->give_way(Lane::bulk, plan, 8);
    EXPECT_THAT(beside, ElementsAre("giant", "later", "small"));
    planner.let_go("slow");
    planner.await("giant");
    EXPECT_THAT(rest(), ElementsAre("giant"));
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueBesideTest, WhatIsNotPlannedAfterAllIsLeftToTheThreads) {
    occupy();
    queue->add("job", Lane::normal);
    const PlanQueue::Plan fails = [](auto) -> PlanQueue::Waits { throw std::runtime_error{""}; };
    EXPECT_THROW(queue->give_way(Lane::normal, fails, 1), std::runtime_error);
    planner.let_go("slow");
    planner.await("job");
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueBesideTest, StopsTwice) {
    queue->stop();
    queue->look();
    queue->stop();
    EXPECT_TRUE(stopping);
}

TEST_F(PlanQueueBesideTest, WhoGivesWayIsNotInterruptedAgain) {
    occupy();
    for (int i = 0; i < 3; ++i) queue->add("job " + std::to_string(i), Lane::normal);
    std::vector<std::string> beside;
    const PlanQueue::Plan plan = [&](std::span<const std::string> jobs) {
        beside.push_back(jobs.front());
        queue->give_way(
            Lane::normal, [](auto) { return PlanQueue::Waits(1); }, 1);
        return PlanQueue::Waits(jobs.size());
    };
    queue->give_way(Lane::normal, plan, 1);
    queue->give_way(Lane::normal, plan, 1);
    EXPECT_THAT(beside, ElementsAre("job 0", "job 1")) << "each time anew, and never within itself";
    planner.let_go("slow");
    planner.await("job 2");
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueBesideTest, WhereAPlanIsStuckAnotherThreadTakesWhatHasWaitedTooLong) {
    occupy();
    planner.hold("waits");
    queue->add("waits", Lane::bulk);
    queue->add("waits, too", Lane::bulk);
    clock.leap(PlanQueue::patience);
    queue->add("new", Lane::bulk);
    queue->look();
    stuck = 1;
    queue->look();
    planner.await("waits");
    queue->look();  // One stands in for one that is stuck.
    EXPECT_THAT(rest(), ElementsAre("waits"));
    stuck = 2;
    queue->look();
    planner.await("waits, too");
    EXPECT_THAT(rest(), ElementsAre("waits", "waits, too"));
    for (const auto* const job : {"waits", "slow", "slow and urgent"}) planner.let_go(job);
    planner.await("new");
}

}  // namespace
}  // namespace fanfare
