#include "core/ledger/jobs.hpp"

#include "tests/integration/ledger_case.hpp"

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobsTest : public LedgerCase {};

TEST_F(JobsTest, AreAcceptedOncePerIdAndKey) {
    const auto job = job_named("show-1/reminder");
    EXPECT_TRUE(insert_job(db(), job, encode_job(job)));
    EXPECT_FALSE(insert_job(db(), job, encode_job(job))) << "published again";
    auto other_id = job;
    other_id.id = derived_id("another");
    EXPECT_FALSE(insert_job(db(), other_id, encode_job(other_id))) << "the same key, another id";
    auto other_key = job;
    other_key.idempotency_key = "another";
    EXPECT_FALSE(insert_job(db(), other_key, encode_job(other_key))) << "the same id, another key";
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
    EXPECT_EQ(mine->attempts, 1);
    EXPECT_EQ(mine->cursor, "");
    EXPECT_FALSE(claim_plan(*ledger.connect(), job, lease)) << "somebody plans it";

    ledger.advance(lease + std::chrono::seconds{1});
    const auto theirs = claim_plan(*ledger.connect(), job, lease);
    ASSERT_TRUE(theirs) << "the first planner died";
    EXPECT_GT(theirs->epoch, mine->epoch);
    EXPECT_EQ(theirs->attempts, 2);
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
    fail_plan(db(), *zombie, "zombie", true, lease);
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
    EXPECT_EQ(finish_jobs(db(), std::vector{first}), 0U);
    settle(key(first, 1));
    settle(key(second));
    EXPECT_EQ(finish_jobs(db(), std::vector{first}), 1U);
    EXPECT_EQ(load_job(db(), first)->state, "done");
    EXPECT_EQ(load_job(db(), second)->state, "sending") << "only the ones that were asked for";
    EXPECT_EQ(finish_jobs(db(), {}), 1U) << "no ids: all";
    EXPECT_EQ(finish_jobs(db(), {}), 0U);
}

TEST_F(JobsTest, ThatAreStillPlannedAreNotDone) {
    const auto job = accept("a");
    plan(job, {{"u1"}}, DoubtPolicy::hold, false);
    const auto chunks = claim({key(job)});
    EXPECT_EQ(record(record_for(chunks.at(0), bytes_of({Outcome::sent}))).size(), 1U);
    EXPECT_EQ(finish_jobs(db(), {}), 0U) << "more chunks may come";
}

TEST_F(JobsTest, ThatNobodyPlansAreFound) {
    const auto job = accept("a");
    EXPECT_THAT(unplanned_jobs(db()), IsEmpty()) << "just accepted: its planner is on the way";
    ledger.advance(std::chrono::seconds{2});
    EXPECT_THAT(unplanned_jobs(db()), ElementsAre(job));
    ASSERT_TRUE(claim_plan(db(), job, lease));
    EXPECT_THAT(unplanned_jobs(db()), IsEmpty());
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_THAT(unplanned_jobs(db()), ElementsAre(job));
}

TEST_F(JobsTest, ThatFailToPlanWaitAndAreTriedAgain) {
    const auto job = accept("a");
    fail_plan(db(), *claim_plan(db(), job, lease), "no contact query", false,
              std::chrono::seconds{10});
    EXPECT_FALSE(claim_plan(db(), job, lease));
    ledger.advance(std::chrono::seconds{11});
    const auto again = claim_plan(db(), job, lease);
    ASSERT_TRUE(again);
    fail_plan(db(), *again, "no contact query", true, std::chrono::seconds{10});
    EXPECT_EQ(load_job(db(), job)->state, "failed");
    EXPECT_EQ(ledger.value("SELECT failure FROM job"), "no contact query");
    ledger.advance(std::chrono::seconds{100});
    EXPECT_FALSE(claim_plan(db(), job, lease));
}

TEST_F(JobsTest, ThatAreHalfPlannedAreNeverGivenUp) {
    const auto job = accept("a");
    plan(job, {{"u1"}}, DoubtPolicy::hold, false);
    ledger.advance(lease + std::chrono::seconds{1});
    fail_plan(db(), *claim_plan(db(), job, lease), "why", true, std::chrono::seconds{1});
    EXPECT_EQ(load_job(db(), job)->state, "planning") << "some were told: the rest must be, too";
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
