#include "core/ledger/jobs.hpp"

#include "core/ledger/api_jobs.hpp"
#include "core/ledger/progress.hpp"
#include "tests/integration/ledger_case.hpp"

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobsTest : public LedgerCase {};

TEST_F(JobsTest, AreAcceptedOncePerIdAndKey) {
    const auto job = job_named("show-1/reminder");
    EXPECT_TRUE(test::insert_job(db(), job));
    EXPECT_FALSE(test::insert_job(db(), job)) << "published again";
    auto other_id = job;
    other_id.id = derived_id("another");
    EXPECT_FALSE(test::insert_job(db(), other_id)) << "the same key, another id";
    auto other_key = job;
    other_key.idempotency_key = "another";
    EXPECT_FALSE(test::insert_job(db(), other_key)) << "the same id, another key";
    EXPECT_EQ(ledger.value("SELECT count(*) FROM job"), "1");
}

TEST_F(JobsTest, AreReadAsTheyWereAccepted) {
    auto job = job_named("show-1");
    job.data = {{"title", "Ünïcode \"quoted\" \\ 🎉"}};
    job.expires_at = TimePoint{std::chrono::seconds{1'900'000'000}};
    accept(job);
    const auto row = load_job(db(), job.id);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->state, "planning");
    const auto read = decode_job(row->body);
    ASSERT_TRUE(std::holds_alternative<Job>(read));
    EXPECT_EQ(std::get<Job>(read), job);
    EXPECT_FALSE(load_job(db(), derived_id("unknown")));
}

TEST_F(JobsTest, ArePlannedByOneAtATime) {
    const auto job = accept("a");
    const auto mine = claim_plan(db(), job, lease);
    ASSERT_TRUE(mine);
    EXPECT_EQ(mine->unheard, 1);
    EXPECT_EQ(mine->cursor, "");
    EXPECT_FALSE(claim_plan(*ledger.connect(), job, lease)) << "somebody plans it";

    ledger.advance(lease + std::chrono::seconds{1});
    const auto theirs = claim_plan(*ledger.connect(), job, lease);
    ASSERT_TRUE(theirs) << "the first planner died";
    EXPECT_GT(theirs->epoch, mine->epoch);
    EXPECT_EQ(theirs->unheard, 2);
}

TEST_F(JobsTest, AreResumedWhereThePlannerStopped) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2"}, {"u3"}}, DoubtPolicy::hold, false);
    ledger.advance(lease + std::chrono::seconds{1});
    const auto task = claim_plan(db(), job, lease);
    ASSERT_TRUE(task);
    EXPECT_EQ(task->cursor, "u3");
    EXPECT_THAT(task->chunks, ElementsAre(2, 0, 0));
    EXPECT_THAT(task->planned, ElementsAre(3, 0, 0));
}

TEST_F(JobsTest, TakeNothingFromAPlannerWhoseTimeIsOver) {
    const auto job = accept("a");
    auto zombie = claim_plan(db(), job, lease);
    ledger.advance(lease + std::chrono::seconds{1});
    plan(job, {{"u1", "u2"}}, DoubtPolicy::hold, false);

    zombie->cursor = "u1";
    zombie->chunks[0] = 1;
    const std::vector<NewChunk> chunks{{Channel::email, 0, 1, "{u1}", DoubtPolicy::hold}};
    EXPECT_FALSE(write_plan(db(), *zombie, Lane::normal, chunks, lease, republish_after));
    EXPECT_FALSE(finish_plan(db(), *zombie));
    EXPECT_FALSE(fail_plan(db(), *zombie, {.why = "zombie", .final = true}));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk"), "1");
    EXPECT_EQ(ledger.value(
                  "SELECT plan_cursor || ' ' || state || ' ' || coalesce(failure, '-') FROM job"),
              "u2 planning -");
}

TEST_F(JobsTest, ThatWereCancelledAreNotPlannedOn) {
    const auto job = accept("a");
    auto task = claim_plan(db(), job, lease);
    ledger.column("UPDATE job SET state = 'cancelled' RETURNING 1");
    const std::vector<NewChunk> chunks{{Channel::email, 0, 1, "{u1}", DoubtPolicy::hold}};
    EXPECT_FALSE(write_plan(db(), *task, Lane::normal, chunks, lease, republish_after));
    EXPECT_FALSE(finish_plan(db(), *task));
    EXPECT_FALSE(claim_plan(db(), job, lease));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk"), "0");
}

TEST_F(JobsTest, WithAnEmptyAudienceAreDoneAtOnce) {
    const auto job = accept("a");
    const auto task = claim_plan(db(), job, lease);
    EXPECT_TRUE(finish_plan(db(), *task));
    EXPECT_EQ(load_job(db(), job)->state, "done");
    EXPECT_EQ(ledger.value("SELECT finished_at IS NOT NULL FROM job"), "t");
    EXPECT_FALSE(claim_plan(db(), job, lease));
}

TEST_F(JobsTest, WithPeopleAreSendingOncePlanned) {
    const auto job = accept("a");
    plan(job, {{"u1"}});
    EXPECT_EQ(load_job(db(), job)->state, "sending");
    EXPECT_FALSE(claim_plan(db(), job, lease));
}

TEST_F(JobsTest, AreDoneWhenEveryChunkIs) {
    const auto first = accept("a");
    const auto second = accept("b");
    plan(first, {{"u1"}, {"u2"}});
    plan(second, {{"u1"}});
    auto chunks = claim({key(first, 0), key(first, 1), key(second)});
    ASSERT_EQ(chunks.size(), 3U);
    const auto settle = [&](const ChunkKey& wanted) {
        for (const auto& chunk : chunks) {
            if (chunk.key == wanted) {
                EXPECT_THAT(record(record_for(chunk, bytes_of({Outcome::sent}))),
                            ElementsAre(wanted));
            }
        }
    };
    settle(key(first, 0));
    EXPECT_EQ(finish_jobs(db(), std::vector{first}).size(), 0U);
    settle(key(first, 1));
    settle(key(second));
    EXPECT_EQ(finish_jobs(db(), std::vector{first}).size(), 1U);
    EXPECT_EQ(load_job(db(), first)->state, "done");
    EXPECT_EQ(load_job(db(), second)->state, "sending") << "only the ones that were asked for";
    EXPECT_EQ(finish_jobs(db(), {}).size(), 1U) << "no ids: all";
    EXPECT_EQ(finish_jobs(db(), {}).size(), 0U);
}

TEST_F(JobsTest, ThatAreStillPlannedAreNotDone) {
    const auto job = accept("a");
    plan(job, {{"u1"}}, DoubtPolicy::hold, false);
    const auto chunks = claim({key(job)});
    EXPECT_EQ(record(record_for(chunks.at(0), bytes_of({Outcome::sent}))).size(), 1U);
    EXPECT_EQ(finish_jobs(db(), {}).size(), 0U) << "more chunks may come";
}

TEST_F(JobsTest, ThatNobodyPlansAreFound) {
    const auto job = accept("a");
    EXPECT_THAT(unplanned_jobs(db(), 16), IsEmpty()) << "just accepted: its planner is on the way";
    ledger.advance(std::chrono::seconds{2});
    EXPECT_THAT(unplanned_jobs(db(), 16), ElementsAre(UnplannedJob{job, Lane::normal}));
    ASSERT_TRUE(claim_plan(db(), job, lease));
    EXPECT_THAT(unplanned_jobs(db(), 16), IsEmpty());
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_THAT(unplanned_jobs(db(), 16), ElementsAre(UnplannedJob{job, Lane::normal}));
}

TEST_F(JobsTest, ThatNobodyPlansKeepTheirLane) {
    auto bulk = job_named("bulk");
    bulk.lane = Lane::bulk;
    auto urgent = job_named("urgent");
    urgent.lane = Lane::urgent;
    accept(bulk);
    ledger.advance(std::chrono::seconds{2});
    accept(urgent);
    ledger.advance(std::chrono::seconds{2});
    EXPECT_THAT(unplanned_jobs(db(), 16), ElementsAre(UnplannedJob{urgent.id, Lane::urgent},
                                                      UnplannedJob{bulk.id, Lane::bulk}));
    EXPECT_THAT(unplanned_jobs(db(), 1), ElementsAre(UnplannedJob{urgent.id, Lane::urgent}));
}

TEST_F(JobsTest, ThatNobodyPlansOfOneSystemLeaveRoomForOthers) {
    for (int i = 0; i < 8; ++i) accept("a" + std::to_string(i));
    ledger.advance(std::chrono::seconds{2});
    auto other = job_named("other");
    other.system = "clips";
    accept(other);
    ledger.advance(std::chrono::seconds{2});
    EXPECT_THAT(unplanned_jobs(db(), 4), ::testing::Contains(UnplannedJob{other.id, Lane::normal}));
    EXPECT_EQ(unplanned_jobs(db(), 8).size(), 8U) << "what others leave is its own";
}

TEST_F(JobsTest, StayWithAPlannerThatKeepsThem) {
    const auto job = accept("a");
    const auto mine = claim_plan(db(), job, lease);
    for (int i = 0; i < 5; ++i) {
        ledger.advance(lease - std::chrono::seconds{1});
        EXPECT_FALSE(claim_plan(db(), job, lease));
        EXPECT_THAT(unplanned_jobs(db(), 16), IsEmpty());
        EXPECT_TRUE(keep_plan(db(), job, mine->epoch, lease));
    }
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_TRUE(keep_plan(db(), job, mine->epoch, lease)) << "late, and nobody has taken it";
    ledger.advance(lease + std::chrono::seconds{1});
    ASSERT_TRUE(claim_plan(db(), job, lease));
    EXPECT_FALSE(keep_plan(db(), job, mine->epoch, lease)) << "taken over";
    EXPECT_FALSE(look_again(db(), *mine, lease));
}

TEST_F(JobsTest, TellAPlannerWhereItStandsAfterAFault) {
    const auto job = accept("a");
    auto task = claim_plan(db(), job, lease);
    const auto before = *task;
    const std::vector<NewChunk> chunks{{Channel::email, 0, 2, "{u1,u2}", DoubtPolicy::hold}};
    task->cursor = "u2";
    task->chunks[0] = 1;
    task->planned[0] = 2;
    task->left_out = 3;
    ASSERT_TRUE(write_plan(db(), *task, Lane::normal, chunks, lease, republish_after));
    const auto now = look_again(db(), before, lease);
    ASSERT_TRUE(now);
    EXPECT_EQ(now->cursor, "u2");
    EXPECT_THAT(now->chunks, ElementsAre(1, 0, 0));
    EXPECT_THAT(now->planned, ElementsAre(2, 0, 0));
    EXPECT_EQ(now->left_out, 3);
    EXPECT_EQ(now->epoch, before.epoch);
}

TEST_F(JobsTest, ThatFailToPlanWaitAndAreTriedAgain) {
    const auto job = accept("a");
    EXPECT_FALSE(fail_plan(db(), *claim_plan(db(), job, lease),
                           {.why = "no contact query", .wait = std::chrono::seconds{10}}));
    EXPECT_FALSE(claim_plan(db(), job, lease));
    ledger.advance(std::chrono::seconds{11});
    const auto again = claim_plan(db(), job, lease);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->failures, 1);
    EXPECT_EQ(again->unheard, 1) << "its planner told what became of it";
    EXPECT_TRUE(fail_plan(db(), *again, {.why = "no contact query", .final = true}));
    EXPECT_EQ(load_job(db(), job)->state, "failed");
    EXPECT_EQ(ledger.value("SELECT failure FROM job"), "no contact query");
    EXPECT_EQ(ledger.value("SELECT finished_at IS NOT NULL FROM job"), "t");
    ledger.advance(std::chrono::seconds{100});
    EXPECT_FALSE(claim_plan(db(), job, lease));
}

TEST_F(JobsTest, ThatAreGivenUpHalfPlannedFailWhenWhatIsWrittenIsSettled) {
    const auto job = accept("a");
    plan(job, {{"u1"}}, DoubtPolicy::hold, false);
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_TRUE(fail_plan(db(), *claim_plan(db(), job, lease), {.why = "why", .final = true}));
    EXPECT_EQ(load_job(db(), job)->state, "sending") << "those in a chunk are told";
    EXPECT_FALSE(claim_plan(db(), job, lease));
    EXPECT_EQ(finish_jobs(db(), {}).size(), 0U);
    const auto chunks = claim({key(job)});
    ASSERT_EQ(chunks.size(), 1U);
    EXPECT_FALSE(chunks[0].job_cancelled);
    std::ignore = record(record_for(chunks[0], bytes_of({Outcome::sent})));
    EXPECT_EQ(finish_jobs(db(), std::vector{job}).size(), 1U);
    EXPECT_EQ(load_job(db(), job)->state, "failed");
    EXPECT_EQ(ledger.value("SELECT failure FROM job"), "why");
    EXPECT_EQ(ledger.value("SELECT planned_at IS NULL AND plan_failed_at IS NOT NULL "
                           "AND finished_at IS NOT NULL FROM job"),
              "t");
}

TEST_F(JobsTest, ThatFailHaveAnEndForWhoeverLooks) {
    const auto given_up = accept("a");
    EXPECT_TRUE(fail_plan(db(), *claim_plan(db(), given_up, lease), {.why = "w", .final = true}));
    const auto half_told = accept("b");
    plan(half_told, {{"u1"}}, DoubtPolicy::hold, false);
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_TRUE(fail_plan(db(), *claim_plan(db(), half_told, lease), {.why = "w", .final = true}));
    std::ignore = record(record_for(claim({key(half_told)})[0], bytes_of({Outcome::sent})));
    EXPECT_EQ(finish_jobs(db(), {}).size(), 1U);
    const auto as_admin = AccessFilter{};
    for (const auto& job : {given_up, half_told}) {
        const auto line = find_job(db(), job, as_admin);
        ASSERT_TRUE(line);
        EXPECT_EQ(line->state, "failed");
        EXPECT_NE(line->finished_at, "");
        const auto took = load_progress(db(), job)->took_s;
        ledger.advance(std::chrono::hours{1});
        EXPECT_EQ(load_progress(db(), job)->took_s, took) << "the clock stands";
    }
}

TEST_F(JobsTest, ThatFailAndExpireEndAsFailed) {
    for (const bool half : {false, true}) {
        auto job = job_named(half ? "half" : "nothing");
        job.expires_at = TimePoint{std::chrono::seconds{1'893'499'200 + 300}};  // In five minutes.
        accept(job);
        if (half) plan(job.id, {{"u1"}}, DoubtPolicy::hold, false);
    }
    auto well = job_named("well");
    well.expires_at = TimePoint{std::chrono::seconds{1'893'499'200 + 300}};
    accept(well);
    ledger.advance(lease + std::chrono::seconds{1});
    for (const auto* const name : {"nothing", "half"}) {
        EXPECT_FALSE(fail_plan(db(), *claim_plan(db(), derived_id(name), lease),
                               {.why = "why", .wait = std::chrono::hours{1}}));
    }
    EXPECT_EQ(end_expired_plans(db()), 0U);
    ledger.advance(std::chrono::minutes{5});
    EXPECT_EQ(end_expired_plans(db()), 2U);
    EXPECT_EQ(load_job(db(), derived_id("nothing"))->state, "failed");
    EXPECT_EQ(load_job(db(), derived_id("half"))->state, "sending");
    EXPECT_EQ(load_job(db(), well.id)->state, "planning") << "everyone of it is to be told why";
    EXPECT_EQ(ledger.value("SELECT count(*) FROM job WHERE failure LIKE 'why;%expired%'"), "2");
    EXPECT_TRUE(fail_plan(db(), *claim_plan(db(), well.id, lease),
                          {.why = "why", .wait = std::chrono::hours{1}}))
        << "there is no time left for another try";
    EXPECT_EQ(load_job(db(), well.id)->state, "failed");
}

TEST_F(JobsTest, ThatComeThroughForgetTheirFailures) {
    const auto job = accept("a");
    EXPECT_FALSE(fail_plan(db(), *claim_plan(db(), job, lease), {.why = "why"}));
    ledger.advance(std::chrono::seconds{1});
    plan(job, {{"u1"}});
    EXPECT_EQ(ledger.value("SELECT failure IS NULL AND plan_failures = 0 FROM job"), "t");
}

TEST_F(JobsTest, AreNotKeptFromPlannersByAClockThatJumped) {
    const auto job = accept("a");
    ledger.advance(std::chrono::hours{1});
    const auto early = accept("accepted in the future");
    ASSERT_TRUE(claim_plan(db(), job, lease));
    ledger.advance(-std::chrono::hours{1});
    EXPECT_TRUE(claim_plan(db(), job, lease));
    EXPECT_THAT(unplanned_jobs(db(), 16), ElementsAre(UnplannedJob{early, Lane::normal}));
}

TEST_F(JobsTest, KeepOddRecipientIdsWhole) {
    const std::vector<std::string> ids{"",     " ",   "\"q\"", "NULL", "\\N", "\\.",
                                       "a\\b", "a,b", "a\tb",  "a\nb", "{x}", "é",
                                       "日本", "🎉",   "\\x41", "\\101"};
    const auto job = accept("a");
    plan(job, {ids});
    const auto chunks = claim({key(job)});
    ASSERT_EQ(chunks.size(), 1U);
    EXPECT_THAT(chunks[0].recipients.elements, ::testing::ElementsAreArray(ids));
}

}  // namespace
}  // namespace fanfare::ledger
