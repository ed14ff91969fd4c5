#pragma once

#include "core/settings/secret.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// What a client of the HTTP API may do. `admin` may do everything, for everybody.
enum class Scope : std::uint8_t {
    publish,
    schedule,
    read,
    cancel,
    preview,
    export_,
    templates,
    operate,
    replay,
    admin
};
inline constexpr std::array<std::string_view, 10> scope_words{
    "publish", "schedule",  "read",    "cancel", "preview",
    "export",  "templates", "operate", "replay", "admin"};

[[nodiscard]] constexpr std::string_view to_string(Scope scope) noexcept {
    return scope_words[static_cast<std::size_t>(scope)];
}
[[nodiscard]] constexpr std::optional<Scope> parse_scope(std::string_view word) noexcept {
    for (std::size_t i = 0; i < scope_words.size(); ++i) {
        if (scope_words[i] == word) return static_cast<Scope>(i);
    }
    return std::nullopt;
}

/// One backend that calls the HTTP API.
struct ClientSettings {
    static constexpr std::size_t owner_bytes_max = 60;

    std::string name;                  // [a-z0-9-]{1,40}; the source of its jobs.
    Secret token;                      // At least 32 bytes.
    std::vector<Scope> scopes;         // At least one.
    std::vector<std::string> systems;  // That it sees and touches; empty: all.
    std::string owner;                 // It sees this owner's jobs only; "": see docs/api.md.
    std::uint32_t per_second = 50;     // [1, 100'000] requests; beyond: 429.
    int line = 0;                      // For messages.
};

}  // namespace fanfare
