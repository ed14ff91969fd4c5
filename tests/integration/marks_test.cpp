// What a worker says of a chunk before and after it lost it.
#include "tests/integration/ledger_case.hpp"

#include <pqxx/transaction>

#include <algorithm>
#include <tuple>

namespace fanfare::ledger {
namespace {

using enum Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MarksTest : public LedgerCase {
protected:
    std::vector<std::string> suppressed() {
        return ledger.column(
            "SELECT s.address || ' ' || s.reason || ' ' || s.source || ' ' || ch.name "
            "FROM suppression s JOIN channel ch ON ch.code = s.channel "
            "ORDER BY s.address COLLATE \"C\"");
    }
};

TEST_F(MarksTest, TakenOverHearTheWorkerThatLives) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2", "u3", "u4"}});
    const auto late = claim({key(job)}, 7);
    ledger.advance(lease + std::chrono::seconds{1});
    const auto taken = take_over_stalled(db(), 10, lease);
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken[0].token, 7);
    EXPECT_EQ(taken[0].takeovers, 1);
    EXPECT_GT(taken[0].epoch, late.at(0).epoch);
    auto entry = record_for(late[0], bytes_of({sent, refused, retry, sent}));
    entry.provider_ids = {"id-1"};
    entry.attempts = std::string{'\0', '\0', '\1', '\0'};
    // Also while the sweeper holds it, whose own word then counts for nothing.
    EXPECT_THAT(record(entry), SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "sent refused retry sent");
    auto guess = record_for(taken[0], bytes_of({unknown, unknown, unknown, unknown}));
    guess.taken_over = true;
    EXPECT_THAT(record(guess), IsEmpty());
    EXPECT_THAT(record(entry), IsEmpty()) << "once is enough";
    EXPECT_EQ(outcomes_of(job), "sent refused retry sent");
    expect_everyone_counted();
}

TEST_F(MarksTest, SettledWithoutKnowingHearTheWorkerThatLives) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2", "u3", "u4"}});
    const auto late = claim({key(job)}, 7);
    ledger.advance(lease + std::chrono::seconds{1});
    auto guess = record_for(take_over_stalled(db(), 10, lease).at(0),
                            bytes_of({unknown, unknown, cancelled, unknown}));
    guess.reasons = reasons_of(
        {Reason::worker_lost, Reason::worker_lost, Reason::job_cancelled, Reason::worker_lost});
    guess.taken_over = true;
    ASSERT_THAT(record(guess), SizeIs(1));
    ASSERT_EQ(finish_jobs(db(), {}).size(), 1U);
    // A receipt for u4 comes before the late record.
    ledger.column(
        "UPDATE chunk SET outcomes = set_byte(outcomes, 3, 3), "
        "reasons = set_byte(reasons, 3, 0) RETURNING 1");
    auto entry = record_for(late.at(0), bytes_of({sent, retry, retry, sent}));
    entry.reasons = reasons_of({Reason::none, Reason::throttled, Reason::throttled, Reason::none});
    entry.provider_ids = {"a", "", "", "b"};
    entry.next_in = std::chrono::seconds{5};
    EXPECT_THAT(record(entry), SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "sent retry cancelled opened")
        << "what somebody knew stays, also by a receipt";
    EXPECT_EQ(ledger.value("SELECT tally FROM chunk"), "{0,1,0,1,0,0,0,0,0,0,1,1,0,0,0}");
    EXPECT_EQ(ledger.value("SELECT provider_ids FROM chunk"), "{a,\"\",\"\",b}");
    EXPECT_EQ(ledger.value("SELECT state FROM job"), "sending") << "u2 is still to be told";
    EXPECT_THAT(claim({key(job)}, 8), IsEmpty()) << "not before its time";
    ledger.advance(std::chrono::seconds{5});
    EXPECT_THAT(claim({key(job)}, 8), SizeIs(1));
    EXPECT_THAT(record(entry), IsEmpty());
    expect_everyone_counted();
}

TEST_F(MarksTest, WhomAReceiptSettlesBesideALateWordIsLeftToTheNextClaim) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2"}});
    const auto late = claim({key(job)}, 7);
    ledger.advance(lease + std::chrono::seconds{1});
    auto guess = record_for(take_over_stalled(db(), 10, lease).at(0), bytes_of({unknown, unknown}));
    guess.reasons = reasons_of({Reason::worker_lost, Reason::worker_lost});
    guess.taken_over = true;
    ASSERT_THAT(record(guess), SizeIs(1));
    ledger.column(
        "UPDATE chunk SET outcomes = set_byte(outcomes, 1, 3), "
        "reasons = set_byte(reasons, 1, 0) RETURNING 1");
    // Not done as its worker knows it: so it says nothing of whom another channel is to tell.
    auto entry = record_for(late.at(0), bytes_of({refused, retry}));
    entry.reasons = reasons_of({Reason::address_invalid, Reason::throttled});
    entry.next_in = std::chrono::seconds{5};
    EXPECT_THAT(record(entry), SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "refused opened");
    const auto next = claim({key(job)}, 8);
    ASSERT_THAT(next, SizeIs(1)) << "at once: nobody waits for anything";
    auto last = record_for(next[0], next[0].outcomes);
    last.reasons = next[0].reasons;
    last.fallback = FallbackChunk{Channel::sms, DoubtPolicy::hold, Lane::normal, {"u1"}};
    EXPECT_THAT(record(last), SizeIs(1));
    EXPECT_EQ(ledger.value("SELECT recipients FROM chunk WHERE channel = 1"), "{u1}");
}

TEST_F(MarksTest, PlannedAgainHearTheWorkerThatLivesUntilTheNextClaim) {
    const auto job = accept("a");
    plan(job, {{"u1"}}, DoubtPolicy::resend);
    const auto late = claim({key(job)}, 7);
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_THAT(take_over(pending), SizeIs(1));
    EXPECT_THAT(record(record_for(late.at(0), bytes_of({sent}))), SizeIs(1));
    EXPECT_THAT(claim({key(job)}, 8), IsEmpty()) << "nobody is told again";
    EXPECT_EQ(outcomes_of(job), "sent");
}

TEST_F(MarksTest, SayWhatHasBegun) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2", "u3"}});
    const auto chunk = std::move(claim({key(job)}, 7).at(0));
    EXPECT_EQ(chunk.begun, std::string(3, '\0'));
    EXPECT_EQ(chunk.causes, std::string(3, '\0'));
    auto marked = mark_for(chunk, bytes_of({sent, pending, pending}));
    marked.begun = std::string{'\1', '\1', '\0'};
    marked.causes = reasons_of({Reason::none, Reason::throttled, Reason::none});
    marked.provider_ids = {"a", "", ""};
    marked.account = "other";
    EXPECT_THAT(mark_chunks(db(), std::vector{marked}).keys, ElementsAre(key(job)));
    expect_everyone_counted();
    ledger.advance(lease + std::chrono::seconds{1});
    const auto taken = take_over_stalled(db(), 10, lease);
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken[0].begun, marked.begun);
    EXPECT_EQ(taken[0].outcomes, marked.outcomes);
    EXPECT_EQ(taken[0].causes, marked.causes);
    EXPECT_EQ(taken[0].provider_ids, marked.provider_ids);
    EXPECT_EQ(taken[0].account, "other");
    EXPECT_THAT(mark_chunks(db(), std::vector{marked}).keys, IsEmpty()) << "taken over";
    // Whoever takes over a sweeper that died knows the same.
    ledger.advance(lease + std::chrono::seconds{1});
    const auto again = std::move(take_over_stalled(db(), 10, lease).at(0));
    EXPECT_EQ(again.begun, marked.begun);
    EXPECT_EQ(again.takeovers, 2);
    ASSERT_THAT(record(record_for(again, bytes_of({sent, unknown, pending}))), SizeIs(1));
    const auto next = claim({key(job)}, 8);
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_EQ(next[0].begun, std::string(3, '\0')) << "of the claim before";
    EXPECT_EQ(next[0].takeovers, 0) << "somebody recorded";
}

TEST_F(MarksTest, SuppressWhomTheyCallRefused) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2"}, {"u3", "u4"}});
    const auto chunks = claim({key(job), key(job, 1)});
    auto marked = mark_for(chunks.at(0), bytes_of({refused, pending}));
    marked.suppressions = {{"a@x.org", "address_invalid"}};
    EXPECT_THAT(mark_chunks(db(), std::vector{marked}).keys, SizeIs(1));
    EXPECT_THAT(suppressed(), ElementsAre("a@x.org address_invalid provider email"));
    auto first = record_for(chunks[0], bytes_of({refused, refused}));
    first.suppressions = {{"b@x.org", "unsubscribed"}, {"a@x.org", "address_invalid"}};
    auto second = record_for(chunks.at(1), bytes_of({refused, sent}));
    second.suppressions = {{"c@x.org", "address_invalid"}};
    EXPECT_THAT(record_chunks(db(), std::vector{first, second}).keys, SizeIs(2));
    EXPECT_THAT(suppressed(), ElementsAre("a@x.org address_invalid provider email",
                                          "b@x.org unsubscribed provider email",
                                          "c@x.org address_invalid provider email"));
}

TEST_F(MarksTest, AreNotWrittenWithoutTheirSuppressions) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2"}});
    const auto chunk = std::move(claim({key(job)}).at(0));
    auto marked = mark_for(chunk, bytes_of({refused, pending}));
    auto entry = record_for(chunk, bytes_of({refused, sent}));
    marked.suppressions = entry.suppressions = {{"a@x.org", "address_invalid"}};
    ledger.column("ALTER TABLE suppression RENAME TO away");
    EXPECT_ANY_THROW(std::ignore = mark_chunks(db(), std::vector{marked}));
    EXPECT_ANY_THROW(record(entry));
    EXPECT_EQ(outcomes_of(job), "pending pending");
    ledger.column("ALTER TABLE away RENAME TO suppression");
    EXPECT_THAT(record(entry), SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "refused sent");
    EXPECT_THAT(suppressed(), SizeIs(1));
}

TEST_F(MarksTest, OfALostChunkSuppressAllTheSame) {
    const auto job = accept("a");
    plan(job, {{"u1"}});
    const auto chunk = std::move(claim({key(job)}).at(0));
    ledger.advance(lease + std::chrono::seconds{1});
    ASSERT_THAT(take_over_stalled(db(), 10, lease), SizeIs(1));
    auto marked = mark_for(chunk, bytes_of({refused}));
    marked.suppressions = {{"a@x.org", "address_invalid"}};
    EXPECT_THAT(mark_chunks(db(), std::vector{marked}).keys, IsEmpty());
    EXPECT_THAT(suppressed(), SizeIs(1)) << "the address is dead whoever holds the chunk";
}

TEST_F(MarksTest, OfAProgramThatMarksNothingMayAllHaveBegun) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2"}});
    auto first = mark_for(claim({key(job)}, 7).at(0), bytes_of({pending, pending}));
    first.begun = std::string{'\0', '\1'};
    ASSERT_THAT(mark_chunks(db(), std::vector{first}).keys, SizeIs(1));
    // As the version before takes over, records and claims.
    for (const auto* const step :
         {"epoch = epoch + 1, claim_token = NULL", "state = 'planned', lease_until = NULL",
          "state = 'claimed', epoch = epoch + 1, claim_token = 1, lease_until = app_now()",
          "recipients = '{u1}', size = 1, outcomes = NULL, tally = NULL"}) {
        ledger.column(fmt::format("UPDATE chunk SET {} RETURNING 1", step));
    }
    ledger.advance(lease);
    EXPECT_EQ(take_over_stalled(db(), 10, lease).at(0).begun, std::string(1, '\1'));
}

TEST_F(MarksTest, ThatSomebodyHasLockedHoldUpNobodyElse) {
    const auto job = accept("a");
    plan(job, {{"u1"}, {"u2"}, {"u3"}});
    const auto chunks = claim({key(job, 0), key(job, 1), key(job, 2)});
    std::vector<ChunkRecord> records;
    std::vector<ChunkMark> marks;
    for (const auto& chunk : chunks) {
        records.push_back(record_for(chunk, bytes_of({sent})));
        marks.push_back(mark_for(chunk, bytes_of({pending})));
    }
    std::sort(records.begin(), records.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
    const auto foreign = ledger.connect();
    {
        pqxx::work lock{foreign->raw()};
        lock.exec("SELECT 1 FROM chunk WHERE number = 1 FOR UPDATE");
        EXPECT_THAT(mark_chunks(db(), marks).busy, ElementsAre(key(job, 1)));
        const auto written = record_chunks(db(), records);
        EXPECT_THAT(written.keys, SizeIs(2));
        EXPECT_THAT(written.busy, ElementsAre(key(job, 1)));
        EXPECT_EQ(outcomes_of(job), "sent pending sent");
    }
    EXPECT_THAT(record(records[1]), SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "sent sent sent");
}

TEST_F(MarksTest, KeepTheirAccountWhereARecordNamesNone) {
    const auto job = accept("a");
    plan(job, {{"u1"}}, DoubtPolicy::resend);
    auto entry = record_for(claim({key(job)}).at(0), bytes_of({retry}));
    entry.causes = reasons_of({Reason::answer_lost});
    entry.account = "";
    EXPECT_THAT(record(entry), SizeIs(1));
    const std::vector<ClaimRequest> elsewhere{{key(job), "another"}};
    EXPECT_EQ(claim_chunks(db(), elsewhere, lease, 2).at(0).account, "mail")
        << "only the first one could hide a second message";
}

TEST_F(MarksTest, ThatWaitAreDueWhenTheirJobExpires) {
    auto job = job_named("a");
    job.expires_at =
        std::chrono::sys_days{std::chrono::year{2030} / 1 / 1} + std::chrono::hours{13};
    accept(job);
    plan(job.id, {{"u1"}});
    auto entry = record_for(claim({key(job.id)}).at(0), bytes_of({retry}));
    entry.next_in = std::chrono::hours{2};
    EXPECT_THAT(record(entry), SizeIs(1));
    ledger.advance(std::chrono::hours{1});
    EXPECT_TRUE(claim({key(job.id)}, 2).at(0).job_expired);
}

}  // namespace
}  // namespace fanfare::ledger
