// A plan's whole life on a clock of its own: slow queries, outages and takeovers take no time.
#include "worker/plan/planner.hpp"

#include "tests/support/coroutines.hpp"
#include "tests/unit/worker/plan_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Waits = std::vector<milliseconds>;

class PlanTest : public ::testing::Test {
protected:
    PlanTest() {
        time.attach(loop);
        settings.plan_batch = 2;
        audiences.people = {"a", "b", "c", "d", "e"};
        kind.name = "show.reminder";
        auto job = std::make_shared<JobContext>();
        job->job.id = "j";
        job->job.audience = "followers";
        job->job.channels = {Channel::email};
        job->kind = &kind;
        context = job;
        ledger.context = job;
        test::begin(loop, keep_looking());
    }
    ~PlanTest() override {
        is_over = true;
        time.run_for(1s);
    }

    /// What KeeperThread does on the machine's time.
    asio::awaitable<void> keep_looking() {
        while (!is_over) {
            co_await pause_for(100ms);
            planner.keeper().look();
        }
    }
    asio::awaitable<void> call_after(std::chrono::nanoseconds wait, std::function<void()> what) {
        co_await pause_for(wait);
        what();
    }
    /// While a plan is made, that long from now.
    void after(std::chrono::nanoseconds wait, std::function<void()> what) {
        test::begin(loop, call_after(wait, std::move(what)));
    }
    void pause(milliseconds wait) {
        const auto end = time.steady_now() + wait;
        while (!stopping && time.steady_now() < end) time.run_for(10ms);
    }
    Planner make(std::atomic<bool>& stop) {
        return {Planner::Parts{ledger, audiences, descriptors, time, probe, stop,
                               [this](milliseconds wait) { pause(wait); }, [] { return 1.0; },
                               nullptr, [this](Lane lane) { way_given.push_back(lane); }},
                settings, Planner::Sizes{3, 3, 3}};
    }
    /// Plans until nobody tries again, as PlanQueue does; how long it waited between.
    Waits plan_to_the_end() {
        Waits waits;
        while (const auto again = planner.plan("j")) {
            waits.push_back(*again);
            time.run_for(*again);
            if (waits.size() == 100) break;
        }
        return waits;
    }
    void expect_everybody_once() {
        EXPECT_THAT(ledger.people(Channel::email), ElementsAreArray(audiences.people));
        EXPECT_EQ(ledger.state, "sending");
    }

    VirtualTime time{TimePoint{}};
    test::PlanModel ledger{time};
    test::AudienceModel audiences{time};
    test::DescriptorsNoted descriptors;
    WorkerSettings settings;
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    Kind kind;
    std::shared_ptr<JobContext> context;
    bool is_over = false;
    std::vector<Lane> way_given;
    std::atomic<bool> stopping{false}, other_stops{false};
    asio::io_context loop{1};
    Planner planner{make(stopping)};
    Planner other{make(other_stops)};  // Of another worker.
};

TEST_F(PlanTest, CutsWhatItReadsForEveryChannelAndTellsOfItAfterwards) {
    context->job.channels = {Channel::email, Channel::push};
    settings.plan_batch = 4;
    std::vector<std::size_t> told;
    audiences.before_each = [&] {
        told.push_back(descriptors.told.size());
        EXPECT_EQ(descriptors.told.size(), ledger.written.size());
    };
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    expect_everybody_once();
    EXPECT_THAT(ledger.people(Channel::push), ElementsAreArray(audiences.people));
    EXPECT_THAT(told, ElementsAre(0, 4, 6)) << "3 and 1 of each channel, and then the last one";
    EXPECT_EQ(descriptors.told.back().second, (ledger::ChunkKey{"j", Channel::push, 2}));
    EXPECT_EQ(audiences.checks, 1);
}

TEST_F(PlanTest, GivesWayAfterEachFullFetch) {
    context->job.lane = Lane::bulk;
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_THAT(way_given, ElementsAre(Lane::bulk, Lane::bulk)) << "of five people two and two";
    expect_everybody_once();
}

TEST_F(PlanTest, ASmallJobGivesWayToNobody) {
    audiences.people = {"a"};
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_THAT(way_given, IsEmpty());
}

TEST_F(PlanTest, NobodyIsThereToBeTold) {
    audiences.people.clear();
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_EQ(ledger.state, "done");
}

TEST_F(PlanTest, APlanStaysItsPlannersHoweverLongAQueryTakes) {
    audiences.takes = 10min;
    int tried = 0;
    for (auto at = 30s; at < 10min; at += 30s) {
        after(at, [&] {
            ++tried;
            EXPECT_FALSE(other.plan("j"));
        });
    }
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_EQ(tried, 19);
    EXPECT_EQ(audiences.reads, 1);
    EXPECT_EQ(ledger.task.epoch, 1);
    expect_everybody_once();
}

TEST_F(PlanTest, EndsItsQueryWhereTheEpochIsAnothers) {
    audiences.takes = 10min;
    after(30s, [&] { ledger.take_over(); });
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_LE(audiences.took, 33s) << "a beat, and a look";
    EXPECT_THAT(ledger.failures, IsEmpty()) << "it is no failure of the other one's";
    EXPECT_EQ(ledger.postponed, 0) << "nor is it given back";
    EXPECT_EQ(ledger.state, "planning");
}

TEST_F(PlanTest, WritesNothingWhereTheEpochIsAnothers) {
    int fetches = 0;
    audiences.before_each = [&] {
        ++fetches;
        if (!ledger.written.empty()) ledger.take_over();
    };
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_EQ(fetches, 2) << "whoever has lost a plan reads no more of its audience";
    EXPECT_THAT(ledger.people(Channel::email), ElementsAre("a", "b"));
    EXPECT_EQ(descriptors.told.size(), 1U);
    EXPECT_EQ(ledger.state, "planning");
}

TEST_F(PlanTest, EndsTheQueryOfAJobThatIsCancelled) {
    audiences.takes = 10min;
    after(1min, [&] { ledger.state = "cancelled"; });
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_LE(audiences.took, 63s);
    EXPECT_THAT(ledger.written, IsEmpty());
    EXPECT_THAT(ledger.failures, IsEmpty());
    EXPECT_EQ(ledger.state, "cancelled");
}

TEST_F(PlanTest, WhoStopsGivesThePlanBackAndAnotherGoesOnAtOnce) {
    audiences.takes = 10min;
    after(10s, [&] { stopping = true; });
    EXPECT_FALSE(planner.plan("j"));
    EXPECT_LE(audiences.took, 10s + 200ms);
    EXPECT_THAT(ledger.failures, IsEmpty());
    audiences.takes = 0s;
    time.run_for(1ms);
    EXPECT_FALSE(other.plan("j"));
    EXPECT_EQ(ledger.task.epoch, 2);
    expect_everybody_once();
}

TEST_F(PlanTest, WhatTheQueryIsToBlameForIsTriedEverLaterAndGivenUp) {
    audiences.breaks_at = "a";
    EXPECT_EQ(plan_to_the_end(), (Waits{3'050ms, 6'050ms, 12'050ms, 24'050ms}));
    EXPECT_EQ(audiences.reads, Planner::failures_max);
    EXPECT_EQ(ledger.state, "failed");
    EXPECT_THAT(ledger.failures.back().why, HasSubstr("read the audience"));
}

TEST_F(PlanTest, WhatNobodyIsToBlameForIsTriedSooner) {
    audiences.breaks_at = "a";
    audiences.breaks_with = Errc::store_unavailable;
    const auto waits = plan_to_the_end();
    ASSERT_EQ(waits.size(), static_cast<std::size_t>(Planner::outages_max) - 1);
    EXPECT_THAT((Waits{waits.begin(), waits.begin() + 4}),
                ElementsAre(550ms, 1'050ms, 2'050ms, 4'050ms));
    EXPECT_EQ(waits.back(), 60'050ms);
    EXPECT_EQ(ledger.state, "failed");
}

TEST_F(PlanTest, ADatabaseThatCannotBeReachedCountsForNothingUntilTheJobExpires) {
    audiences.unreachable = fail(Errc::store_unavailable, "connect");
    ledger.expires_at = time.now() + 5min;
    const auto waits = plan_to_the_end();
    EXPECT_GT(waits.size(), 2U * Planner::outages_max);
    EXPECT_THAT(waits, ::testing::Each(4'050ms));
    EXPECT_EQ(ledger.task.failures, 0);
    EXPECT_EQ(ledger.state, "failed");
    EXPECT_GE(time.now(), *ledger.expires_at);
}

TEST_F(PlanTest, AQueryThatBreaksInTheMiddleGoesOnBehindThoseBefore) {
    audiences.breaks_at = "e";
    ASSERT_TRUE(planner.plan("j"));
    EXPECT_THAT(ledger.people(Channel::email), ElementsAre("a", "b", "c", "d"));
    audiences.breaks_at.reset();
    time.run_for(1min);
    EXPECT_FALSE(planner.plan("j"));
    expect_everybody_once();
}

TEST_F(PlanTest, WhatIsGivenUpInTheMiddleTellsThoseBefore) {
    audiences.breaks_at = "e";
    EXPECT_EQ(plan_to_the_end().size(), static_cast<std::size_t>(Planner::failures_max) - 1)
        << "no step forward since";
    EXPECT_THAT(ledger.people(Channel::email), ElementsAre("a", "b", "c", "d"));
    EXPECT_EQ(ledger.state, "sending");
}

TEST_F(PlanTest, ACommitWhoseAnswerIsLostIsNotRepeated) {
    ledger.loses_next_answer = true;
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    expect_everybody_once();
    EXPECT_EQ(audiences.reads, 2) << "from where the ledger says";
    EXPECT_THAT(ledger.failures, IsEmpty());
}

TEST_F(PlanTest, GoesOnByItselfWhenTheLedgerComesBack) {
    audiences.before_each = [&] {
        if (ledger.written.empty()) return;
        audiences.before_each = nullptr;
        ledger.is_away = true;
        after(50s, [&] { ledger.is_away = false; });
    };
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    expect_everybody_once();
    EXPECT_EQ(ledger.task.epoch, 1);
    EXPECT_THAT(ledger.failures, IsEmpty());
}

TEST_F(PlanTest, WhatAnotherTookOverWhileTheLedgerWasAwayIsLeftToThem) {
    audiences.before_each = [&] {
        audiences.before_each = nullptr;
        ledger.is_away = true;
        after(70s, [&] {
            ledger.is_away = false;
            ledger.take_over();
        });
    };
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_THAT(ledger.written, IsEmpty());
    EXPECT_EQ(audiences.reads, 1);
    EXPECT_THAT(ledger.failures, IsEmpty());
}

TEST_F(PlanTest, AFailureIsNotedWhenTheLedgerIsBack) {
    audiences.breaks_at = "a";
    audiences.takes = 1s;
    after(500ms, [&] { ledger.is_away = true; });
    after(20s, [&] { ledger.is_away = false; });
    const auto again = planner.plan("j");
    EXPECT_EQ(again, 3'050ms);
    EXPECT_EQ(ledger.failures.size(), 1U);
    EXPECT_GE(time.now(), TimePoint{20s});
}

TEST_F(PlanTest, AsksAgainSoonWhereTheLedgerDoesNotSayWhoseAPlanIs) {
    ledger.is_away = true;
    EXPECT_EQ(planner.plan("j"), 1'000ms);
    ledger.is_away = false;
    EXPECT_FALSE(planner.plan("j"));
    expect_everybody_once();
}

TEST_F(PlanTest, APlanThatTakesItsWorkersDownIsGivenUp) {
    for (int i = 0; i < Planner::unheard_max; ++i) {
        ASSERT_TRUE(ledger.claim("j", settings.lease).value()) << "whose worker then dies";
        time.run_for(settings.lease + 1ms);
    }
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_EQ(audiences.reads, 0);
    EXPECT_EQ(ledger.state, "failed");
    EXPECT_THAT(ledger.failures.back().why, HasSubstr("5 workers in a row"));
}

TEST_F(PlanTest, AJobThatNobodyCanBeToldIsGivenUpBeforeAnybodyIs) {
    audiences.unsound =
        PlanFault{PlanFault::Place::job, fail(Errc::template_invalid, "tell anybody")};
    EXPECT_EQ(plan_to_the_end().size(), 4U);
    EXPECT_EQ(audiences.reads, 0);
    EXPECT_EQ(ledger.state, "failed");
}

TEST_F(PlanTest, AJobThatSaysNothingToUsIsGivenUp) {
    ledger.context = nullptr;
    EXPECT_EQ(plan_to_the_end().size(), 4U);
    EXPECT_EQ(ledger.state, "failed");
}

TEST_F(PlanTest, WhatWasJustFoundSoundIsNotAskedOnceMore) {
    planner.was_checked("j");
    audiences.breaks_at = "a";
    ASSERT_TRUE(planner.plan("j"));
    EXPECT_EQ(audiences.checks, 0);
    time.run_for(1min);
    ASSERT_TRUE(planner.plan("j"));
    EXPECT_EQ(audiences.checks, 1) << "what is tried again is looked at anew";
    planner.was_checked("j");
    time.run_for(5min);
    ASSERT_TRUE(planner.plan("j"));
    EXPECT_EQ(audiences.checks, 2) << "that was too long ago";
}

TEST_F(PlanTest, WaitsWhileWhoIsToBeToldAgainIsBeingTold) {
    kind.cancels = {"show.invitation"};
    kind.told = "show.invitation";
    context->job.audience.clear();
    ledger.earlier_in_hand = 2;
    after(1s, [&] { ledger.earlier_in_hand = 0; });
    const auto waits = plan_to_the_end();
    EXPECT_THAT(waits, ::testing::Each(150ms));
    EXPECT_EQ(waits.size(), 7U);
    EXPECT_THAT(ledger.failures, IsEmpty());
    expect_everybody_once();
}

TEST_F(PlanTest, OthersTellEverybodyWhileEarlierJobsAreBeingTold) {
    kind.cancels = {"show.invitation"};
    ledger.earlier_in_hand = 2;
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    expect_everybody_once();
}

TEST_F(PlanTest, ChunksOfWhichNobodyCouldBeToldAreInTheLedger) {
    descriptors.is_full = true;
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    expect_everybody_once();
}

TEST_F(PlanTest, CountsWhomItLeavesOutOnTopOfThoseBefore) {
    ledger.task.left_out = 3;
    audiences.left_out = 2;
    ledger.task.cursor = "c";
    EXPECT_THAT(plan_to_the_end(), IsEmpty());
    EXPECT_THAT(ledger.people(Channel::email), ElementsAre("d", "e"));
    EXPECT_EQ(ledger.task.left_out, 5);
}

}  // namespace
}  // namespace fanfare
