#pragma once

#include "core/ledger/figures.hpp"
#include "core/observe/families.hpp"
#include "core/systems/system.hpp"

namespace fanfare {

/// The ledger's figures as metrics (docs/metrics.md). Whatever the systems may ever count is there
/// from the start, as 0. Pure.
[[nodiscard]] Families to_families(const ledger::Figures& figures, const Systems& systems);

}  // namespace fanfare
