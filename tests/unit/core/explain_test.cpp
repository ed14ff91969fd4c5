#include "core/domain/explain.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(Why, EveryOutcomeAndReasonHasASentence) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        const auto outcome = static_cast<Outcome>(i);
        const auto plain = explain(outcome, Reason::none, Reason::none);
        EXPECT_GT(plain.size(), 10U) << i;
        for (std::size_t r = 1; r < reason_count; ++r) {
            const auto reason = static_cast<Reason>(r);
            EXPECT_GT(explain(outcome, reason, Reason::none).size(), plain.size() + 10)
                << i << " " << r;
        }
    }
}

TEST(Why, SaysWhatLiesBehindADoubtAndNothingWhereNothingDoes) {
    EXPECT_EQ(explain(Outcome::unknown, Reason::answer_lost, Reason::past_expiry),
              "Nobody can know whether it was sent; the request was written, but its answer was "
              "lost; after that: the job's expiry had passed.");
    EXPECT_EQ(explain(Outcome::delivered, Reason::none, Reason::none),
              "The message was delivered.");
}

}  // namespace
}  // namespace fanfare
