#pragma once

#include "tests/contract/provider_checks.hpp"

#include <gtest/gtest.h>

/// One suite every provider must pass. A new provider adds one line to provider_cases()
/// and a reader of its requests.
namespace fanfare::testing {

inline std::string listed(const Complaints& complaints) {
    std::string all;
    // A broken rule tends to break for every text; the first few tell enough.
    for (std::size_t i = 0; i < complaints.size() && i < 5; ++i) all += complaints[i] + "\n";
    return all;
}

class ProviderContract : public ::testing::TestWithParam<ProviderCase> {
protected:
    void expect_kept(Complaints (*check)(const ProviderCase&, const Provider&)) {
        const auto provider = GetParam().make();
        EXPECT_EQ(listed(check(GetParam(), *provider)), "");
    }
};

TEST_P(ProviderContract, HoldsEachAddressOnce) { expect_kept(check_addresses); }
TEST_P(ProviderContract, ShowsNobodyAnythingOfAnother) { expect_kept(check_privacy); }
TEST_P(ProviderContract, KeepsHostileValuesInTheirField) { expect_kept(check_hostile_values); }
TEST_P(ProviderContract, KeepsHostileLiteralsAsTyped) { expect_kept(check_hostile_literals); }
TEST_P(ProviderContract, LeavesNothingOfAnEarlierRequest) { expect_kept(check_residue); }
TEST_P(ProviderContract, GivesTheSameBytesForTheSameBatch) { expect_kept(check_determinism); }
TEST_P(ProviderContract, ReadsAnyAnswer) { expect_kept(check_reading); }
TEST_P(ProviderContract, TakesNoGatewayForTheProvider) { expect_kept(check_gateways); }

TEST_P(ProviderContract, HasAStableNameAndABound) {
    const auto provider = GetParam().make();
    // "vonage_messages" is the other API of "vonage".
    EXPECT_TRUE(GetParam().name.starts_with(provider->type()));
    EXPECT_GE(provider->batch_max(), 1U);
}

}  // namespace fanfare::testing
