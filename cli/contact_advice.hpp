#pragma once

#include "core/settings/problem.hpp"
#include "core/systems/system.hpp"

namespace fanfare::cli {

/// Contact queries that name their people themselves: they work, and are asked for by key alone.
/// Pure.
[[nodiscard]] Problems contact_advice(const System& system);

}  // namespace fanfare::cli
