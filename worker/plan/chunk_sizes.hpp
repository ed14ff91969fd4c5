#pragma once

#include "worker/plan/planner.hpp"
#include "worker/send/account_selector.hpp"

namespace fanfare {

/// What fits the slowest account of each channel: Account::chunk_people().
[[nodiscard]] Planner::Sizes chunk_sizes(const Settings& settings, const AccountSelector& selector);

}  // namespace fanfare
