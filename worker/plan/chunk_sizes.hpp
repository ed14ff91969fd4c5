#pragma once

#include "worker/plan/planner.hpp"
#include "worker/send/account_selector.hpp"

namespace fanfare {

/// A chunk never holds more than two seconds of its account's rate: a crash leaves little in
/// doubt, and a claim is always sent well within its lease.
[[nodiscard]] Planner::Sizes chunk_sizes(const Settings& settings, const AccountSelector& selector);

}  // namespace fanfare
