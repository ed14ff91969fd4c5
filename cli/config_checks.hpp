#pragma once

#include "cli/command.hpp"

#include <optional>

namespace fanfare::cli {

/// What `config check` looks at beside the files.
struct ConfigAsked {
    bool database = false;  // Try the queries on their databases too.
    bool kafka = false;     // Look at the topics too.
};

/// Everything that a person sets up, as a whole: every problem, not the first.
struct ConfigFound {
    Problems problems;
    Problems warnings;  // Allowed, and unwise.
    std::optional<Settings> settings;
    std::optional<Systems> systems;
};
[[nodiscard]] ConfigFound check_config(const Globals& globals, const ConfigAsked& asked);

}  // namespace fanfare::cli
