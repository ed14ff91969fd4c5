#pragma once

#include "core/settings/secret.hpp"
#include "core/settings/settings.hpp"
#include "core/settings/yaml_tree.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace fanfare {

/// Where secrets come from: {env: NAME} or {file: PATH}, never the file itself. No value
/// of a secret reaches a Problem.
///
/// Lifetime  `environment` outlives it.
struct SecretSource {
    const Environment& environment;
    std::filesystem::path folder;  // Relative paths are relative to it.

    /// Follows {env: NAME} or {file: PATH}. At most 64 KiB; one newline at the end is
    /// dropped; nothing, NUL or an unreadable file is a problem.
    [[nodiscard]] std::optional<Secret> read(const YamlValue& value, const std::string& key,
                                             Report& report) const;

    /// The secret of an environment variable that overrides `key`, when it is set.
    [[nodiscard]] std::optional<Secret> override_of(const std::string& key, Report& report) const;
};

/// True when the text can be a libpq connection string or URL.
[[nodiscard]] bool is_database_url(const Secret& secret);

inline constexpr std::string_view secret_bounds = "{env: NAME} or {file: PATH}";

}  // namespace fanfare
