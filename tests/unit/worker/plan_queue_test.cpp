// Which job is planned next, and when: with a planner that does what each test says.
#include "tests/unit/worker/plan_queue_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using test::PlanQueueTest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(PlanQueueTest, MoreUrgentLanesGoFirstAndWithinOneWhoCameFirst) {
    occupy();
    queue->add("bulk", Lane::bulk);
    queue->add("normal 1", Lane::normal);
    queue->add("normal 2", Lane::normal);
    queue->add("urgent", Lane::urgent);
    planner.let_go("slow");
    planner.await("bulk");
    EXPECT_THAT(rest(), ElementsAre("urgent", "normal 1", "normal 2", "bulk"));
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueTest, AGiantAudienceKeepsNoUrgentJobWaiting) {
    planner.hold("giant");
    queue->add("giant", Lane::bulk);
    planner.await("giant");
    queue->add("urgent", Lane::urgent);
    planner.await("urgent");
    planner.let_go("giant");
}

TEST_F(PlanQueueTest, GiantAudiencesKeepNoNormalJobWaiting) {
    open(PlanQueue::last_lanes);
    for (const auto* const giant : {"giant 1", "giant 2"}) {
        planner.hold(giant);
        queue->add(giant, Lane::bulk);
        planner.await(giant);
    }
    planner.hold("giant 3");
    queue->add("giant 3", Lane::bulk);
    queue->add("urgent", Lane::urgent);
    planner.await("urgent");  // By then whoever takes bulk jobs has had its chance.
    queue->add("normal", Lane::normal);
    planner.await("normal");
    EXPECT_THAT(planner.planned(), ElementsAre("giant 1", "giant 2", "urgent", "normal"));
    planner.let_go("giant 3");
    planner.let_go("giant 1");
    planner.let_go("giant 2");
}

TEST_F(PlanQueueTest, UrgentJobsShareBothThreads) {
    planner.hold("urgent 1");
    planner.hold("urgent 2");
    queue->add("urgent 1", Lane::urgent);
    queue->add("urgent 2", Lane::urgent);
    planner.await("urgent 1");
    planner.await("urgent 2");
    planner.let_go("urgent 1");
    planner.let_go("urgent 2");
}

TEST_F(PlanQueueTest, TheThreadOfUrgentJobsTakesNothingElse) {
    occupy();
    queue->add("bulk", Lane::bulk);
    queue->add("urgent", Lane::urgent);
    planner.let_go("slow and urgent");
    planner.await("urgent");
    EXPECT_THAT(rest(), ElementsAre("urgent")) << "bulk waits for the other thread";
    planner.let_go("slow");
    planner.await("bulk");
}

TEST_F(PlanQueueTest, WhatIsQueuedOrUnderWayIsNotQueuedAgain) {
    occupy();
    queue->add("slow", Lane::bulk);  // Under way.
    queue->add("job", Lane::normal);
    queue->add("job", Lane::normal);
    queue->add("job", Lane::bulk);
    queue->add("last", Lane::bulk);
    planner.let_go("slow");
    planner.await("last");
    EXPECT_THAT(rest(), ElementsAre("job", "last"));
    queue->add("job", Lane::normal);
    planner.await("job", 2);
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueTest, BeyondItsBoundALaneTakesNothingAndOthersDo) {
    occupy();
    for (std::size_t i = 0; i < PlanQueue::queue_max; ++i) {
        queue->add("bulk " + std::to_string(i), Lane::bulk);
    }
    queue->add("one too many", Lane::bulk);
    queue->add("normal", Lane::normal);
    planner.let_go("slow");
    planner.await("bulk " + std::to_string(PlanQueue::queue_max - 1));
    EXPECT_EQ(rest().size(), PlanQueue::queue_max + 1);
    EXPECT_EQ(rest().front(), "normal");
    queue->add("one too many", Lane::bulk);  // The sweeper brings it back.
    planner.await("one too many");
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueTest, WhatFailedForNowComesAgainWhenItsMomentHasComeAndNotBefore) {
    planner.fails_once("later", hours{1});
    queue->add("later", Lane::normal);
    planner.await("later");
    queue->add("other", Lane::normal);
    planner.await("other");
    EXPECT_THAT(planner.planned(), ElementsAre("later", "other"));
    queue->add("later", Lane::normal);  // Known: it waits.
    queue->add("another", Lane::normal);
    planner.await("another");
    EXPECT_THAT(planner.planned(), ElementsAre("later", "other", "another"));
    clock.leap(hours{1});
    queue->add("wakes them", Lane::bulk);
    planner.await("later", 2);
}

TEST_F(PlanQueueTest, WhatIsDueComesInTheOrderOfItsMomentsAndInItsOwnLane) {
    planner.fails_once("third", hours{3});
    planner.fails_once("first", hours{1});
    planner.fails_once("second", hours{2});
    for (const auto* const job : {"third", "first", "second"}) {
        queue->add(job, Lane::bulk);
        planner.await(job);
    }
    occupy();
    clock.leap(hours{3});
    queue->add("normal", Lane::normal);
    planner.let_go("slow");
    planner.await_all(9);
    auto jobs = planner.planned();
    jobs.erase(jobs.begin(), jobs.begin() + 5);
    EXPECT_THAT(jobs, ElementsAre("normal", "first", "second", "third"));
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueTest, WhereManyWaitAThreadTakesSeveralAtOnceAndWhereFewDoEachAlone) {
    occupy();
    for (int i = 0; i < 40; ++i) queue->add("job " + std::to_string(i), Lane::normal);
    queue->add("urgent", Lane::urgent);
    planner.let_go("slow");
    planner.await_all(43);
    const auto together = planner.together();
    EXPECT_THAT(together[2], ElementsAre("urgent")) << "of another lane";
    EXPECT_EQ(together[3].size(), 11U) << "a quarter of those who wait, and one";
    EXPECT_EQ(together[3].front(), "job 0");
    EXPECT_EQ(together.back().size(), 1U);
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueTest, NoThreadTakesMoreThanItsBound) {
    occupy();
    for (int i = 0; i < 1'000; ++i) queue->add("job " + std::to_string(i), Lane::normal);
    planner.let_go("slow");
    planner.await_all(1'002);
    EXPECT_EQ(planner.together()[2].size(), PlanQueue::together_max);
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueTest, WhatIsToBePlannedAloneKeepsItsPlaceAndComesAlone) {
    occupy();
    for (int i = 0; i < 12; ++i) queue->add("job " + std::to_string(i), Lane::normal);
    planner.fails_once("job 1", milliseconds{0});
    planner.fails_once("job 2", milliseconds{0});
    planner.let_go("slow");
    planner.await("job 2", 2);
    EXPECT_THAT(planner.together()[2], ElementsAre("job 0", "job 1", "job 2", "job 3"));
    EXPECT_THAT(planner.together()[3], ElementsAre("job 1")) << "before those that came after it";
    EXPECT_THAT(planner.together()[4], ElementsAre("job 2"));
    planner.let_go("slow and urgent");
}

TEST_F(PlanQueueTest, NobodyHasToWakeThemForWhatIsDue) {
    planner.fails_once("soon", milliseconds{1});
    planner.fails_once("soon and urgent", milliseconds{1});
    queue->add("soon", Lane::normal);
    queue->add("soon and urgent", Lane::urgent);
    planner.await("soon", 2);
    planner.await("soon and urgent", 2);
}

TEST_F(PlanQueueTest, AnEarlierMomentIsNotSleptOver) {
    planner.fails_once("tomorrow", hours{24});
    queue->add("tomorrow", Lane::normal);
    planner.await("tomorrow");
    planner.fails_once("soon", milliseconds{1});
    queue->add("soon", Lane::normal);
    planner.await("soon", 2);
}

TEST_F(PlanQueueTest, NoJobIsLostWhicheverThreadBringsIt) {
    constexpr int threads = 4;
    constexpr int jobs = 500;
    {
        std::vector<std::jthread> bringing;
        for (int thread = 0; thread < threads; ++thread) {
            bringing.emplace_back([this, thread] {
                for (int i = 0; i < jobs; ++i) {
                    const auto lane = lanes[static_cast<std::size_t>(i) % lane_count];
                    queue->add(std::to_string(thread) + "/" + std::to_string(i), lane);
                }
            });
        }
    }
    planner.await_all(threads * jobs);
    auto planned = planner.planned();
    std::sort(planned.begin(), planned.end());
    EXPECT_EQ(std::unique(planned.begin(), planned.end()), planned.end()) << "each once";
    EXPECT_EQ(planned.size(), static_cast<std::size_t>(threads * jobs));
}

TEST_F(PlanQueueTest, StopsWhereNothingIsToBeDone) {
    queue.reset();
    EXPECT_TRUE(stopping);
    EXPECT_THAT(planner.planned(), IsEmpty());
}

TEST_F(PlanQueueTest, StopsThoughSomethingIsDueTomorrow) {
    planner.fails_once("tomorrow", hours{24});
    queue->add("tomorrow", Lane::normal);
    planner.await("tomorrow");
    queue.reset();
    EXPECT_THAT(planner.planned(), ElementsAre("tomorrow"));
}

TEST_F(PlanQueueTest, WaitsForWhatIsUnderWayAndLeavesTheRestToTheLedger) {
    occupy();
    queue->add("never", Lane::normal);
    queue->add("never and urgent", Lane::urgent);
    std::atomic<bool> is_over{false};
    std::jthread ending{[this, &is_over] {
        queue.reset();
        is_over = true;
    }};
    while (!stopping) std::this_thread::yield();
    EXPECT_FALSE(is_over) << "two plans are under way";
    planner.let_go("slow");
    planner.let_go("slow and urgent");
    ending.join();
    EXPECT_THAT(rest(), IsEmpty());
}

}  // namespace
}  // namespace fanfare
