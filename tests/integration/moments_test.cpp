// What a clock that was ahead has written.
#include "core/ledger/clock.hpp"
#include "core/ledger/receipts.hpp"
#include "core/wire/timestamp.hpp"
#include "tests/integration/ledger_case.hpp"
#include "tests/support/coroutines.hpp"
#include "worker/send/chunk_store.hpp"
#include "worker/sweep/sweep_store.hpp"

#include <tuple>

namespace fanfare::ledger {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MomentsTest : public LedgerCase {
protected:
    std::string planned(const std::string& name) {
        const auto job = accept(name);
        plan(job, {{"u1"}});
        return job;
    }
    void retry_in(const ClaimedChunk& chunk, std::chrono::milliseconds wait) {
        auto one = record_for(chunk, bytes_of({Outcome::retry}));
        one.next_in = wait;
        ASSERT_THAT(record(one), SizeIs(1));
    }
};

TEST_F(MomentsTest, WaitsGoOnFromNowAsLongAsTheyWere) {
    const auto waits = planned("waits");
    const auto claimed = claim({key(waits)});
    ledger.advance(1h);
    retry_in(claimed.at(0), 10s);
    const auto fresh = planned("planned meanwhile");
    ledger.advance(-1h);
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 2U);
    EXPECT_THAT(claim({key(fresh)}), SizeIs(1));
    EXPECT_THAT(claim({key(waits)}), IsEmpty());
    ledger.advance(11s);
    EXPECT_THAT(overdue(9), SizeIs(1)) << "and it is offered again";
    EXPECT_THAT(claim({key(waits)}), SizeIs(1));
}

TEST_F(MomentsTest, AReceiptHidesNoWaitOfAWrongClock) {
    const auto job = accept("waits");
    plan(job, {{"u1", "u2"}});
    const auto claimed = claim({key(job)});
    ledger.advance(1h);
    auto one = record_for(claimed.at(0), bytes_of({Outcome::sent, Outcome::retry}));
    one.next_in = 10s;
    ASSERT_THAT(record(one), SizeIs(1));
    ledger.advance(-1h);
    ReceiptBatch batch{"mail", Channel::email, job, 0, {}};
    Receipt receipt;
    receipt.reference = {job, Channel::email, 0, 0};
    receipt.event = ReceiptEvent::delivered;
    batch.receipts.push_back(receipt);
    std::ignore = apply_receipts(db(), std::vector{batch});
    EXPECT_EQ(outcomes_of(job), "delivered retry");
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 1U);
    ledger.advance(11s);
    EXPECT_THAT(claim({key(job)}), SizeIs(1));
}

TEST_F(MomentsTest, WhatAWrongClockGaveOutIsOfferedAgainWhenItIsDue) {
    const auto job = planned("waits");
    retry_in(claim({key(job)}).at(0), 40s);
    ledger.advance(1h);
    EXPECT_THAT(overdue(9), SizeIs(1)) << "by that clock";
    ledger.advance(-1h);
    EXPECT_THAT(claim({key(job)}), IsEmpty()) << "whoever was given it finds nothing";
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 1U);
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 0U);
    EXPECT_THAT(overdue(9), IsEmpty());
    ledger.advance(41s);
    EXPECT_THAT(overdue(9), SizeIs(1));
}

TEST_F(MomentsTest, WaitsOfARightClockStayHoweverLongTheyAre) {
    const auto job = planned("quiet hours");
    retry_in(claim({key(job)}).at(0), 12h);
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 0U);
    ledger.advance(12h - 1s);
    EXPECT_THAT(claim({key(job)}), IsEmpty());
}

TEST_F(MomentsTest, WhoSleepsWaitsForAMomentWhateverTheClockShows) {
    const auto job = planned("quiet hours");
    auto one = record_for(claim({key(job)}).at(0), bytes_of({Outcome::retry}));
    one.next_in = 1s;
    one.not_before = *parse_timestamp("2030-01-01T13:00:00Z");
    ledger.advance(-1h);
    ASSERT_THAT(record(one), SizeIs(1));
    ledger.advance(1h);
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 0U);
    ledger.advance(1h - 1s);
    EXPECT_THAT(claim({key(job)}), IsEmpty());
    ledger.advance(2s);
    EXPECT_THAT(claim({key(job)}), SizeIs(1));
}

TEST_F(MomentsTest, OfAClockThatHasJumpedNoLeaseBeginsOrEnds) {
    const auto job = accept("two chunks");
    plan(job, {{"u1"}, {"u2"}});
    const std::vector<ClaimRequest> one{{key(job, 0), "mail"}};
    const std::vector<ClaimRequest> other{{key(job, 1), "mail"}};
    // By it ledgers go in the end; what tests move else is no fault of a clock.
    const auto shown = read_clock(db(), system_clock()).theirs;
    ASSERT_THAT(claim_chunks(db(), one, lease, 1, shown), SizeIs(1));
    ledger.advance(lease + 1s);
    for (const auto off : {-6s, 6s}) {
        EXPECT_THAT(claim_chunks(db(), other, lease, 2, shown + off), IsEmpty());
        EXPECT_THAT(claim_chunks(db(), one, lease, 1, shown + off), IsEmpty());
        EXPECT_THAT(take_over_stalled(db(), 9, lease, shown + off), IsEmpty());
    }
    EXPECT_THAT(claim_chunks(db(), other, lease, 2, shown), SizeIs(1));
    EXPECT_THAT(take_over_stalled(db(), 9, lease, shown), SizeIs(1));
}

TEST_F(MomentsTest, LeasesEndALeaseFromNowNotAtOnce) {
    const auto job = planned("claimed meanwhile");
    ledger.advance(1h);
    const auto claimed = claim({key(job)});
    ledger.advance(-1h);
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 1U);
    EXPECT_THAT(take_over_stalled(db(), 9, lease), IsEmpty()) << "its worker may be sending";
    ledger.advance(lease + 1s);
    EXPECT_THAT(take_over_stalled(db(), 9, lease), SizeIs(1));
}

TEST_F(MomentsTest, WorkersNameTheTimeThatTheyBelieve) {
    boost::asio::io_context loop{1};
    postgres::Pool pool{ledger.database().url(), {}, 1};
    ManualClock wrong{system_clock().now() + 1h};
    LedgerClock believed{wrong};
    const Systems systems;
    const auto templates = std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    JobContexts contexts{systems, templates, JobContexts::Reach{ledger.database().url(), 1, 1min},
                         "", system_clock()};
    LedgerChunkStore chunks{pool, believed};
    LedgerSweepStore sweep{{pool, contexts, believed, wrong}};
    const auto job = planned("claimed");
    const std::vector<ClaimRequest> requests{{key(job), "mail"}};
    EXPECT_THAT(test::run(loop, chunks.claim(requests, lease, 1)).value(), IsEmpty());
    ASSERT_THAT(claim({key(job)}), SizeIs(1));
    ledger.advance(lease + 1s);
    EXPECT_THAT(test::run(loop, sweep.take_over(9, lease)).value(), IsEmpty());
    believed.learn(read_clock(db(), wrong));
    EXPECT_THAT(test::run(loop, sweep.take_over(9, lease)).value(), SizeIs(1));
}

TEST_F(MomentsTest, AClockThatIsWrongSetsNothingRight) {
    const auto job = planned("claimed");
    ASSERT_THAT(claim({key(job)}), SizeIs(1));
    ledger.advance(-1h);
    const auto shown = read_clock(db(), system_clock()).theirs;
    EXPECT_EQ(mend_moments(db(), lease, republish_after, shown + 1h), 0U);
    ledger.advance(1h);
    EXPECT_THAT(take_over_stalled(db(), 9, lease), IsEmpty()) << "its lease has just begun";
    ledger.advance(-1h);
    EXPECT_EQ(mend_moments(db(), lease, republish_after, shown), 1U) << "that it was set to is";
}

TEST_F(MomentsTest, LeasesOfARightClockStay) {
    const auto job = planned("claimed");
    ASSERT_THAT(claim({key(job)}), SizeIs(1));
    ledger.column(
        "INSERT INTO notification (system, kind, subject, occurrence, due_at, job_id, state, "
        "lease_until) VALUES ('shows', 'k', 's', app_now(), app_now(), gen_random_uuid(), "
        "'publishing', app_now() + interval '10 min') RETURNING 1");
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 0U);
    ledger.column("UPDATE notification SET lease_until = app_now() + interval '1 h' RETURNING 1");
    EXPECT_EQ(mend_moments(db(), lease, republish_after), 1U);
}

}  // namespace
}  // namespace fanfare::ledger
