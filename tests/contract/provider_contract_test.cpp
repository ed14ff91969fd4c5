#include "tests/contract/provider_contract.hpp"

namespace fanfare::testing {

INSTANTIATE_TEST_SUITE_P(All, ProviderContract, ::testing::ValuesIn(provider_cases()),
                         [](const ::testing::TestParamInfo<ProviderCase>& each) {
                             return each.param.name;
                         });

}  // namespace fanfare::testing
