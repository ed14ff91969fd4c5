#pragma once

#include "core/settings/schema.hpp"
#include "core/systems/system.hpp"

namespace fanfare {

/// What no section of a system.yaml can tell alone: names that point to nothing. Fills in a kind's
/// channels where it names none.
void check_references(System& system, const YamlValue& root, Report& report);

}  // namespace fanfare
