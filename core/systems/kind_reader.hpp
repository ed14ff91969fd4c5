#pragma once

#include "core/settings/yaml_tree.hpp"
#include "core/systems/system.hpp"

#include <string>

namespace fanfare {

/// Reads the map below `kinds.<name>` into a kind of this name.
[[nodiscard]] Kind read_kind(const std::string& name, const YamlValue& map, const std::string& key,
                             Report& report);

}  // namespace fanfare
