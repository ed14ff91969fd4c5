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
    /// dropped; nothing, NUL, a byte order mark, several lines (unless it is PEM or JSON) or a file
    /// that is not readable or that others may write is a problem.
    [[nodiscard]] std::optional<Secret> read(const YamlValue& value, const std::string& key,
                                             Report& report) const;

    /// The secret of an environment variable that overrides `key`, when it is set.
    [[nodiscard]] std::optional<Secret> find_override(const std::string& key, Report& report) const;
};

/// True when the text can be a libpq connection string or URL.
[[nodiscard]] bool is_database_url(const Secret& secret);

/// True for a file, or a link to one, that somebody but its owner may change, or put another in the
/// place of. False where there is none.
[[nodiscard]] bool others_may_write(const std::filesystem::path& file);

inline constexpr const char* only_owner_writes =
    "a file that nobody but its owner may write: chmod go-w, and o-w or +t for its folder";

inline constexpr std::string_view secret_bounds = "{env: NAME} or {file: PATH}";

}  // namespace fanfare
