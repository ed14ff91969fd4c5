// Chunks that wait though their job is over: settled whoever could have sent them.
#include "tests/integration/ledger_case.hpp"

#include "core/ledger/api_jobs.hpp"
#include "core/ledger/caps.hpp"

#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Outcome;

class EndedJobsTest : public LedgerCase {
protected:
    std::string planned(const std::string& name, std::chrono::seconds lives = {}) {
        const auto id = accept(name);
        if (lives.count() > 0) {
            ledger.column(fmt::format(
                "WITH w AS (UPDATE job SET expires_at = app_now() + {} * interval '1 s' "
                "WHERE id = '{}' RETURNING 1) SELECT count(*) FROM w",
                lives.count(), id));
        }
        plan(id, {{name + "1", name + "2"}, {name + "3"}});
        return id;
    }
    std::vector<ClaimedChunk> ended() { return claim_of_ended_jobs(db(), 100, lease); }
    void cancel(const std::string& job) { ASSERT_TRUE(cancel_wherever(db(), job, std::nullopt)); }
    /// Written as the sweeper does.
    void settle(const ClaimedChunk& chunk, Outcome outcome) {
        auto entry =
            record_for(chunk, std::string(chunk.outcomes.size(), static_cast<char>(outcome)));
        entry.taken_over = true;
        EXPECT_THAT(record(entry), SizeIs(1));
    }
    std::string unsettled() {
        return ledger.value(
            "SELECT count(*) FROM job WHERE state = 'cancelled' AND settled_at IS NULL");
    }
};

TEST_F(EndedJobsTest, ChunksOfThoseThatGoOnAreLeftAlone) {
    planned("a");
    planned("b", std::chrono::seconds{60});
    EXPECT_THAT(ended(), IsEmpty());
}

TEST_F(EndedJobsTest, WhatWaitsOfAnExpiredJobIsClaimedWithoutAnAccount) {
    const auto job = planned("a", std::chrono::seconds{60});
    planned("b");
    ledger.advance(std::chrono::seconds{61});
    const auto chunks = ended();
    ASSERT_THAT(chunks, SizeIs(2));
    EXPECT_TRUE(chunks[0].job_expired);
    EXPECT_EQ(chunks[0].key.job, job);
    EXPECT_THAT(ended(), IsEmpty()) << "each is one sweeper's";
    for (const auto& chunk : chunks) settle(chunk, expired);
    EXPECT_EQ(finish_jobs(db(), {}).size(), 1U);
    EXPECT_EQ(outcomes_of(job), "expired expired expired");
}

TEST_F(EndedJobsTest, WhoeverDiesSettlingThemLeavesNobodyInDoubt) {
    planned("a", std::chrono::seconds{60});
    ledger.advance(std::chrono::seconds{61});
    ASSERT_THAT(ended(), SizeIs(2));
    ledger.advance(lease + std::chrono::seconds{1});
    const auto taken = take_over_stalled(db(), 10, lease);
    ASSERT_THAT(taken, SizeIs(2));
    for (const auto& chunk : taken) {
        EXPECT_EQ(chunk.begun, std::string(chunk.outcomes.size(), '\0')) << "nothing was begun";
    }
}

TEST_F(EndedJobsTest, WhatWaitsInQuietHoursEndsWithTheCancel) {
    const auto job = planned("a");
    auto later = record_for(claim({key(job, 0)}).at(0), bytes_of({sent, pending}));
    later.next_in = std::chrono::hours{9};
    EXPECT_THAT(record(later), SizeIs(1));
    cancel(job);
    const auto chunks = ended();
    ASSERT_THAT(chunks, SizeIs(2)) << "the untouched one, and the one that waits for the morning";
    EXPECT_TRUE(chunks[0].job_cancelled);
    EXPECT_FALSE(chunks[0].job_expired);
}

TEST_F(EndedJobsTest, ACancelledJobIsLookedAtUntilItsLastChunkIsSettled) {
    const auto job = planned("a");
    const auto held = claim({key(job, 0)});
    cancel(job);
    const auto chunks = ended();
    ASSERT_THAT(chunks, SizeIs(1)) << "the other is its worker's";
    settle(chunks[0], cancelled);
    finish_jobs(db(), {});
    EXPECT_EQ(unsettled(), "1");
    // It had not heard, and puts its chunk back.
    auto back = record_for(held.at(0), bytes_of({sent, retry}));
    back.next_in = std::chrono::hours{1};
    EXPECT_THAT(record(back), SizeIs(1));
    finish_jobs(db(), {});
    const auto rest = ended();
    ASSERT_THAT(rest, SizeIs(1));
    settle(rest[0], cancelled);
    finish_jobs(db(), {});
    EXPECT_EQ(unsettled(), "0");
    EXPECT_THAT(ended(), IsEmpty());
}

TEST_F(EndedJobsTest, TheLateWordOfWhoLostAChunkOpensItAgain) {
    const auto job = planned("a");
    const auto lost = claim({key(job, 0)}, 7);
    ledger.advance(lease + std::chrono::seconds{1});
    const auto taken = take_over_stalled(db(), 10, lease);
    ASSERT_THAT(taken, SizeIs(1));
    auto guess = record_for(taken[0], bytes_of({unknown, unknown}));
    guess.reasons = reasons_of({Reason::worker_lost, Reason::worker_lost});
    guess.taken_over = true;
    EXPECT_THAT(record(guess), SizeIs(1));
    cancel(job);
    for (const auto& chunk : ended()) settle(chunk, cancelled);
    finish_jobs(db(), {});
    ASSERT_EQ(unsettled(), "0");
    EXPECT_THAT(record(record_for(lost[0], bytes_of({sent, retry}))), SizeIs(1));
    const auto again = ended();
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_EQ(again[0].outcomes, bytes_of({sent, retry}));
}

TEST_F(EndedJobsTest, AMarkSaysThatTheJobIsCancelled) {
    const auto job = planned("a");
    const auto held = claim({key(job, 0)});
    EXPECT_THAT(mark(held.at(0), bytes_of({pending, pending})).cancelled, IsEmpty());
    cancel(job);
    const auto marked = mark(held.at(0), bytes_of({pending, pending}));
    EXPECT_THAT(marked.keys, ElementsAre(key(job, 0)));
    EXPECT_THAT(marked.cancelled, ElementsAre(key(job, 0)));
}

TEST_F(EndedJobsTest, WhoHoldsAPlaceUnderACapGivesItBack) {
    const auto job = planned("a");
    const CapQuestion question{"shows", "show.reminder", job, 1, std::chrono::hours{24}};
    const auto held = claim({key(job, 0)});
    EXPECT_THAT(take_places(db(), question, Channel::email, held.at(0), "{a1,a2}"), IsEmpty());
    EXPECT_THAT(record(record_for(held[0], bytes_of({retry, retry}))), SizeIs(1));
    {
        pqxx::work work{db().raw()};
        EXPECT_EQ(stop_jobs(work, "{" + job + "}"), 1U);
        work.commit();
    }
    const auto chunks = ended();
    ASSERT_THAT(chunks, SizeIs(2)) << "not settled in passing: somebody holds a place";
    for (const auto& chunk : chunks) {
        auto entry = record_for(chunk, std::string(chunk.outcomes.size(), '\x0a'));
        entry.taken_over = true;
        entry.counted = std::chrono::hours{24};
        EXPECT_THAT(record(entry), SizeIs(1));
    }
    EXPECT_EQ(ledger.value("SELECT count(*) FROM counted_send"), "0");
}

TEST_F(EndedJobsTest, ALedgerHasWorkUntilEveryJobIsSettled) {
    EXPECT_FALSE(has_work(db()));
    const auto job = accept("a");
    EXPECT_TRUE(has_work(db())) << "to be planned";
    plan(job, {{"a1"}});
    cancel(job);
    EXPECT_TRUE(has_work(db())) << "its chunk is not settled";
    for (const auto& chunk : ended()) settle(chunk, cancelled);
    finish_jobs(db(), {});
    EXPECT_FALSE(has_work(db()));
    ledger.column(
        "WITH w AS (INSERT INTO suppression (channel, address, reason, source) "
        "VALUES (0, 'a@example.com', 'bounced', 'test') RETURNING 1) SELECT count(*) FROM w");
    EXPECT_TRUE(has_work(db())) << "an older program wrote it";
    ledger.column("WITH w AS (DELETE FROM suppression RETURNING 1) SELECT count(*) FROM w");
    EXPECT_FALSE(has_work(db()));
    ledger.column(
        "WITH w AS (INSERT INTO opt_out (system, channel, list, recipient, address_due_at) "
        "VALUES ('shows', 0, 'news', 'a', app_now()) RETURNING 1) SELECT count(*) FROM w");
    EXPECT_TRUE(has_work(db())) << "their address is to be looked up";
}

}  // namespace
}  // namespace fanfare::ledger
