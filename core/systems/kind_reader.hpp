#pragma once

#include "core/settings/yaml_tree.hpp"
#include "core/systems/system.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace fanfare {

/// The channel that key `i` of a map names; an unknown key is reported.
[[nodiscard]] std::optional<Channel> channel_key(const YamlValue& map, std::size_t i,
                                                 const std::string& key, Report& report);

/// Reads the map below `kinds.<name>` into a kind of this name.
[[nodiscard]] Kind read_kind(const std::string& name, const YamlValue& map, const std::string& key,
                             Report& report);

}  // namespace fanfare
