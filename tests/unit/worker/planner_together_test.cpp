// Small jobs that are planned together, and what is planned alone instead.
#include "tests/unit/worker/plan_model.hpp"
#include "worker/plan/planner.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using Waits = std::vector<std::optional<milliseconds>>;
constexpr auto alone = milliseconds{0};

/// Many plans, each as PlanModel keeps it; a transaction writes all of them or none.
class PlanModels final : public PlanStore {
public:
    using Task = std::optional<ledger::PlanTask>;
    explicit PlanModels(const Clock& clock) : clock_{clock} {}

    test::PlanModel& add(const std::string& job) {
        return plans.try_emplace(job, clock_, job).first->second;
    }
    Result<Task> claim(const std::string& job, milliseconds lease) override {
        return plans.at(job).claim(job, lease);
    }
    Result<std::vector<ledger::PlanTask>> claim_many(std::span<const std::string> jobs,
                                                     milliseconds lease) override {
        std::vector<ledger::PlanTask> claimed;
        for (auto& [job, plan] : plans) {
            auto mine = plan.claim_many(jobs, lease);
            if (!mine) return mine.error();
            for (auto& task : mine.value()) claimed.push_back(std::move(task));
        }
        return claimed;
    }
    Result<std::vector<std::string>> write_whole(std::span<const ledger::WholePlan> all,
                                                 milliseconds republish_after) override {
        ++writes;
        if (writes_fail) return fail(Errc::store_unavailable, "write small plans");
        std::vector<std::string> ours;
        for (const auto& plan : all) {
            auto written =
                plans.at(plan.task.job).write_whole(std::span{&plan, 1}, republish_after);
            for (auto& job : written.value()) ours.push_back(std::move(job));
        }
        if (loses_answer) return fail(Errc::commit_in_doubt, "write small plans");
        return ours;
    }
    Result<void> keep(std::span<Held>, milliseconds) override { return {}; }
    Result<Understood> understand(const ledger::PlanTask& task) override {
        return plans.at(task.job).understand(task);
    }
    Result<std::int64_t> cancel_earlier(const JobContext& job) override {
        return plans.at(job.job.id).cancel_earlier(job);
    }
    Result<bool> write(const ledger::PlanTask& task, Lane lane,
                       std::span<const ledger::NewChunk> chunks, milliseconds lease,
                       milliseconds republish_after) override {
        return plans.at(task.job).write(task, lane, chunks, lease, republish_after);
    }
    Result<bool> finish(const ledger::PlanTask& task) override {
        return plans.at(task.job).finish(task);
    }
    Result<Task> look_again(const ledger::PlanTask& task, milliseconds lease) override {
        return plans.at(task.job).look_again(task, lease);
    }
    Result<bool> note_failure(const ledger::PlanTask& task,
                              const ledger::PlanFailure& failure) override {
        return plans.at(task.job).note_failure(task, failure);
    }
    Result<void> postpone(const ledger::PlanTask& task, milliseconds wait) override {
        return plans.at(task.job).postpone(task, wait);
    }
    Result<void> unclaim(const ledger::PlanTask& task) override {
        return plans.at(task.job).unclaim(task);
    }

    std::map<std::string, test::PlanModel> plans;
    bool writes_fail = false, loses_answer = false;
    int writes = 0;

private:
    const Clock& clock_;
};

class PlanTogetherTest : public ::testing::Test {
protected:
    PlanTogetherTest() {
        kind.name = "show.reminder";
        for (const auto& job : jobs) {
            auto context = std::make_shared<JobContext>();
            context->job.id = job;
            context->job.audience = "followers";
            context->job.channels = {Channel::email};
            context->kind = &kind;
            contexts[job] = context;
            ledger.add(job).context = context;
            audiences.of_job[job] = {"a of " + job, "b of " + job};
            planner.was_checked(job);
        }
        audiences.people = {"read alone"};
    }
    Waits plan() { return planner.plan_together(jobs); }
    test::PlanModel& plan_of(const std::string& job) { return ledger.plans.at(job); }
    void expect_read_together(const std::string& job) {
        EXPECT_EQ(plan_of(job).state, "sending");
        EXPECT_THAT(plan_of(job).people(Channel::email),
                    ElementsAreArray(audiences.of_job.at(job)));
    }
    void expect_apart(const std::string& job) {
        EXPECT_THAT(plan_of(job).written, IsEmpty());
        EXPECT_EQ(plan_of(job).unclaimed, 1);
        EXPECT_FALSE(plan_of(job).free_at) << "anybody may have it at once";
    }

    VirtualTime time{TimePoint{}};
    PlanModels ledger{time};
    test::AudienceModel audiences{time};
    test::DescriptorsNoted descriptors;
    WorkerSettings settings;
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    Kind kind;
    std::atomic<bool> stopping{false};
    const std::vector<std::string> jobs{"j1", "j2", "j3"};
    std::map<std::string, std::shared_ptr<JobContext>> contexts;
    Planner planner{
        Planner::Parts{ledger, audiences, descriptors, time, probe, stopping,
                       [this](milliseconds wait) { time.run_for(wait); }, [] { return 1.0; }},
        settings, Planner::Sizes{3, 3, 3}};
};

TEST_F(PlanTogetherTest, OneReadingAndOneTransactionForAll) {
    EXPECT_EQ(plan(), Waits(3));
    for (const auto& job : jobs) expect_read_together(job);
    EXPECT_EQ(audiences.reads_together, 1);
    EXPECT_EQ(audiences.reads, 0);
    EXPECT_EQ(ledger.writes, 1);
    EXPECT_EQ(descriptors.told.size(), 3U);
    EXPECT_EQ(plan_of("j2").task.planned[0], 2);
    EXPECT_EQ(plan_of("j2").task.cursor, "b of j2");
}

TEST_F(PlanTogetherTest, OneAloneIsPlannedAsAlways) {
    EXPECT_EQ(planner.plan_together(std::span{jobs}.first(1)), Waits(1));
    EXPECT_EQ(audiences.reads_together, 0);
    EXPECT_THAT(plan_of("j1").people(Channel::email), ElementsAre("read alone"));
}

TEST_F(PlanTogetherTest, WhoHasNobodyToTellIsDone) {
    audiences.of_job["j1"].clear();
    EXPECT_EQ(plan(), Waits(3));
    EXPECT_EQ(plan_of("j1").state, "done");
    expect_read_together("j2");
}

TEST_F(PlanTogetherTest, WhoHasManyPeopleGoesAlone) {
    audiences.of_job["j1"].assign(257, "somebody");
    EXPECT_EQ(plan(), (Waits{alone, std::nullopt, std::nullopt}));
    expect_apart("j1");
    expect_read_together("j2");
    expect_read_together("j3");
    EXPECT_FALSE(planner.plan("j1"));
    EXPECT_THAT(plan_of("j1").people(Channel::email), ElementsAre("read alone"));
}

TEST_F(PlanTogetherTest, BesideAGiantOneAloneIsReadAsASmallOneAndMayBeLarger) {
    audiences.of_job["j1"].clear();
    for (std::size_t i = 0; i < Planner::people_beside_max; ++i) {
        audiences.of_job["j1"].push_back(fmt::format("{:04}", i));
    }
    EXPECT_EQ(planner.plan_beside(std::span{jobs}.first(1)), Waits(1));
    expect_read_together("j1");
    EXPECT_EQ(audiences.reads, 0);
}

TEST_F(PlanTogetherTest, BesideAGiantNoOtherGiantIsPlanned) {
    audiences.of_job["j1"].assign(Planner::people_beside_max + 1, "somebody");
    EXPECT_EQ(planner.plan_beside(std::span{jobs}.first(2)), (Waits{alone, std::nullopt}));
    expect_apart("j1");
    expect_read_together("j2");
}

TEST_F(PlanTogetherTest, WhoseWorkerDiedTakesNobodyElseWithIt) {
    plan_of("j1").task.unheard = 1;
    EXPECT_EQ(plan(), (Waits{alone, std::nullopt, std::nullopt}));
    expect_apart("j1");
    EXPECT_EQ(plan_of("j1").task.unheard, 1) << "as if nobody had claimed it";
    expect_read_together("j3");
}

TEST_F(PlanTogetherTest, WhoStandsInTheMiddleGoesAlone) {
    plan_of("j2").task.cursor = "a";
    EXPECT_EQ(plan(), (Waits{std::nullopt, alone, std::nullopt}));
    expect_apart("j2");
}

TEST_F(PlanTogetherTest, WhomNobodyHasCheckedGoesAlone) {
    EXPECT_EQ(plan(), Waits(3));
    for (const auto& job : jobs) {
        plan_of(job).state = "planning";
        plan_of(job).written.clear();
        plan_of(job).task.cursor.clear();
        plan_of(job).task.unheard = 0;
        plan_of(job).free_at.reset();
    }
    planner.was_checked("j2");
    EXPECT_EQ(plan(), (Waits{alone, std::nullopt, alone})) << "checked once";
    EXPECT_EQ(audiences.checks, 0);
}

TEST_F(PlanTogetherTest, OwnersTextsGoAlone) {
    plan_of("j1").task.own_templates = 7;
    EXPECT_EQ(plan(), (Waits{alone, std::nullopt, std::nullopt}));
    expect_apart("j1");
}

TEST_F(PlanTogetherTest, WhatSaysNothingToUsGoesAlone) {
    plan_of("j1").context = nullptr;
    EXPECT_EQ(plan(), (Waits{alone, std::nullopt, std::nullopt}));
    expect_apart("j1");
    expect_read_together("j2");
}

TEST_F(PlanTogetherTest, WhoWasToldOfEarlierJobsGoesAlone) {
    Kind telling_again;
    telling_again.told = "show.invitation";
    contexts["j1"]->kind = &telling_again;
    contexts["j1"]->job.audience.clear();
    EXPECT_EQ(plan(), (Waits{alone, std::nullopt, std::nullopt}));
    expect_apart("j1");
}

TEST_F(PlanTogetherTest, AfterReadingTogetherFailedAllGoAloneForAMinute) {
    audiences.breaks_together = fail(Errc::store_rejected, "read small audiences");
    EXPECT_EQ(plan(), Waits(3, alone));
    for (const auto& job : jobs) expect_apart(job);
    audiences.breaks_together.reset();
    for (const auto& job : jobs) planner.was_checked(job);
    time.run_for(59s);
    EXPECT_EQ(plan(), Waits(3, alone));
    EXPECT_EQ(audiences.reads_together, 1);
    time.run_for(2s);
    for (const auto& job : jobs) planner.was_checked(job);
    EXPECT_EQ(plan(), Waits(3));
    for (const auto& job : jobs) expect_read_together(job);
}

TEST_F(PlanTogetherTest, ACommitWhoseAnswerIsLostPlansNobodyTwice) {
    ledger.loses_answer = true;
    EXPECT_EQ(plan(), Waits(3));
    for (const auto& job : jobs) expect_read_together(job);
    for (const auto& job : jobs) EXPECT_THAT(plan_of(job).failures, IsEmpty());
}

TEST_F(PlanTogetherTest, WhatCouldNotBeWrittenTogetherIsWrittenAlone) {
    ledger.writes_fail = true;
    EXPECT_EQ(plan(), Waits(3));
    for (const auto& job : jobs) {
        EXPECT_THAT(plan_of(job).people(Channel::email), ElementsAre("read alone"));
        EXPECT_EQ(plan_of(job).state, "sending");
    }
}

TEST_F(PlanTogetherTest, WhatSomebodyElseHasIsAskedForOnceMoreAlone) {
    plan_of("j2").state = "cancelled";
    plan_of("j3").free_at = time.steady_now() + 1min;
    EXPECT_EQ(plan(), (Waits{std::nullopt, alone, alone})) << "a lock may have been in the way";
    expect_read_together("j1");
    EXPECT_FALSE(planner.plan("j2"));
    EXPECT_FALSE(planner.plan("j3"));
    EXPECT_THAT(plan_of("j2").written, IsEmpty());
    EXPECT_THAT(plan_of("j3").written, IsEmpty());
    EXPECT_EQ(descriptors.told.size(), 1U);
}

TEST_F(PlanTogetherTest, OfWhatAnotherTakesOverMeanwhileNothingIsTold) {
    audiences.before_small = [this] { plan_of("j2").take_over(); };
    EXPECT_EQ(plan(), Waits(3));
    expect_read_together("j1");
    EXPECT_THAT(plan_of("j2").written, IsEmpty());
    EXPECT_EQ(plan_of("j2").state, "planning");
    EXPECT_EQ(descriptors.told.size(), 2U);
}

TEST_F(PlanTogetherTest, CountsWhomItLeavesOut) {
    audiences.left_out = 2;
    EXPECT_EQ(plan(), Waits(3));
    EXPECT_EQ(plan_of("j1").task.left_out, 2);
}

TEST_F(PlanTogetherTest, AsksAgainSoonWhereTheLedgerDoesNotSayWhoseAPlanIs) {
    plan_of("j1").is_away = true;
    EXPECT_EQ(plan(), Waits(3, milliseconds{1'000}));
}

TEST_F(PlanTogetherTest, WhoStopsGivesAllBack) {
    stopping = true;
    EXPECT_EQ(plan(), Waits(3, alone));
    for (const auto& job : jobs) expect_apart(job);
}

}  // namespace
}  // namespace fanfare
