#include "worker/send/given_up.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

ledger::ClaimedChunk chunk_with(const std::vector<std::array<int, 3>>& people) {
    ledger::ClaimedChunk chunk;
    for (const auto& [outcome, reason, cause] : people) {
        chunk.outcomes.push_back(static_cast<char>(outcome));
        chunk.reasons.push_back(static_cast<char>(reason));
        chunk.causes.push_back(static_cast<char>(cause));
    }
    return chunk;
}

constexpr int code(auto value) { return static_cast<int>(value); }

TEST(GivenUp, SaysHowManyAndTheMostFrequentCause) {
    const int failed = code(Outcome::failed);
    const int exhausted = code(Reason::attempts_exhausted);
    const auto chunk = chunk_with({{failed, exhausted, code(Reason::throttled)},
                                   {code(Outcome::sent), 0, 0},
                                   {failed, exhausted, code(Reason::throttled)},
                                   {failed, code(Reason::query_failed), 0}});
    EXPECT_EQ(given_up_in(chunk), "3 people are given up, most of them for throttled");
}

TEST(GivenUp, IsSilentWhereNobodyIs) {
    EXPECT_EQ(given_up_in(chunk_with({{code(Outcome::sent), 0, 0},
                                      {code(Outcome::refused), 1, 0},
                                      {code(Outcome::unknown), 7, 0}})),
              "");
}

}  // namespace
}  // namespace fanfare
