// What a clock that was ahead has written.
#include "core/ledger/clock.hpp"
#include "tests/integration/ledger_case.hpp"

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
    EXPECT_EQ(mend_moments(db(), lease), 2U);
    EXPECT_THAT(claim({key(fresh)}), SizeIs(1));
    EXPECT_THAT(claim({key(waits)}), IsEmpty());
    ledger.advance(11s);
    EXPECT_THAT(overdue(9), SizeIs(1)) << "and it is offered again";
    EXPECT_THAT(claim({key(waits)}), SizeIs(1));
}

TEST_F(MomentsTest, WaitsOfARightClockStayHoweverLongTheyAre) {
    const auto job = planned("quiet hours");
    retry_in(claim({key(job)}).at(0), 12h);
    EXPECT_EQ(mend_moments(db(), lease), 0U);
    ledger.advance(12h - 1s);
    EXPECT_THAT(claim({key(job)}), IsEmpty());
}

TEST_F(MomentsTest, LeasesEndALeaseFromNowNotAtOnce) {
    const auto job = planned("claimed meanwhile");
    ledger.advance(1h);
    const auto claimed = claim({key(job)});
    ledger.advance(-1h);
    EXPECT_EQ(mend_moments(db(), lease), 1U);
    EXPECT_THAT(take_over_stalled(db(), 9, lease), IsEmpty()) << "its worker may be sending";
    ledger.advance(lease + 1s);
    EXPECT_THAT(take_over_stalled(db(), 9, lease), SizeIs(1));
}

TEST_F(MomentsTest, LeasesOfARightClockStay) {
    const auto job = planned("claimed");
    ASSERT_THAT(claim({key(job)}), SizeIs(1));
    ledger.column(
        "INSERT INTO notification (system, kind, subject, occurrence, due_at, job_id, state, "
        "lease_until) VALUES ('shows', 'k', 's', app_now(), app_now(), gen_random_uuid(), "
        "'publishing', app_now() + interval '10 min') RETURNING 1");
    EXPECT_EQ(mend_moments(db(), lease), 0U);
    ledger.column("UPDATE notification SET lease_until = app_now() + interval '1 h' RETURNING 1");
    EXPECT_EQ(mend_moments(db(), lease), 1U);
}

}  // namespace
}  // namespace fanfare::ledger
