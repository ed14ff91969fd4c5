// Jobs of which everything is settled are closed, and the database's clock is read.
#include "worker/sweep/job_ends.hpp"

#include "tests/integration/store_case.hpp"
#include "worker/sweep/ledger_time.hpp"

namespace fanfare {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobEndsTest : public StoreCase {};

TEST_F(JobEndsTest, OnlyWhatIsSettledIsClosed) {
    LedgerJobEnds ends{pool};
    const auto settled = accept("settled");
    const auto open = accept("open");
    for (const auto& job : {settled, open}) plan(job, {{"a"}});
    record(record_for(claim({key(settled)}).at(0), ledger::bytes_of({Outcome::sent})));
    const std::vector jobs{settled, open};
    const auto closed = ask(ends.close(jobs)).value();
    ASSERT_THAT(closed, SizeIs(1));
    EXPECT_EQ(closed[0].id, settled);
    EXPECT_EQ(closed[0].state, "done");
    EXPECT_EQ(closed[0].outcomes[static_cast<std::size_t>(Outcome::sent)], 1);
    EXPECT_THAT(ask(ends.close(jobs)).value(), IsEmpty()) << "once";
}

TEST_F(JobEndsTest, TheDatabasesClockIsReadBetweenTwoLooksAtOurs) {
    DatabaseLedgerTime time{pool, system_clock()};
    const auto before = system_clock().steady_now();
    const auto reading = ask(time.read()).value();
    EXPECT_LE(before, reading.asked);
    EXPECT_LE(reading.asked, reading.answered);
    EXPECT_EQ(ask(time.mend(ledger::lease, ledger::republish_after, system_clock().now())).value(),
              0U);
}

}  // namespace
}  // namespace fanfare
