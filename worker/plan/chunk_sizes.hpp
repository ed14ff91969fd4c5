#pragma once

#include "worker/plan/planner.hpp"
#include "worker/send/roster.hpp"

namespace fanfare {

/// A chunk never holds more than two seconds of its account's rate: a crash leaves little in
/// doubt, and a claim is always sent well within its lease.
[[nodiscard]] Planner::Sizes chunk_sizes(const Settings& settings, const Roster& roster);

}  // namespace fanfare
