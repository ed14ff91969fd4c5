#include "core/ledger/deliveries.hpp"

#include "core/domain/why.hpp"
#include "core/ledger/progress.hpp"
#include "tests/integration/ledger_case.hpp"

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using enum Outcome;

class DeliveriesTest : public LedgerCase {};

TEST_F(DeliveriesTest, TellTheLastFaultBehindAttemptsThatAreUsedUp) {
    const auto job = accept("show");
    plan(job, {{"ada", "bob", "cy"}});
    const auto claimed = claim({key(job, 0)});
    ASSERT_THAT(claimed, SizeIs(1));
    auto end = record_for(claimed[0], bytes_of({failed, sent, unknown}));
    end.reasons = reasons_of({Reason::attempts_exhausted, Reason::none, Reason::answer_lost});
    end.causes = reasons_of({Reason::provider_unavailable, Reason::none, Reason::past_expiry});
    ASSERT_THAT(record(end), SizeIs(1));

    DeliveryCursor cursor;
    std::vector<Delivery> deliveries;
    EXPECT_FALSE(read_deliveries(db(), job, {}, cursor, 10, deliveries));
    std::vector<Reason> causes;
    for (const auto& delivery : deliveries) causes.push_back(delivery.cause);
    EXPECT_THAT(causes,
                ElementsAre(Reason::provider_unavailable, Reason::none, Reason::past_expiry));

    const auto fates = find_fate(db(), job, "ada");
    ASSERT_THAT(fates, SizeIs(1));
    EXPECT_EQ(fates[0].cause, Reason::provider_unavailable);
    EXPECT_EQ(why(fates[0].outcome, fates[0].reason, fates[0].cause),
              "Not sent: every attempt failed; all attempts are used up; at last: the provider "
              "could not be reached or had a fault.");
}

}  // namespace
}  // namespace fanfare::ledger
