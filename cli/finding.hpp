#pragma once

#include "core/clock/clock.hpp"
#include "core/providers/provider.hpp"
#include "core/settings/settings.hpp"

#include <string>
#include <string_view>

namespace fanfare::cli {

/// One thing that `fanfare doctor` looked at.
struct Finding {
    std::string_view level;  // ok, note, warning, error
    std::string what;        // "topic fanfare.jobs"
    std::string found;
    std::string type;  // What mends it; "" where there is nothing to do.
};

/// Of the system's time-zone data, by its version: "2025b". Pure.
[[nodiscard]] Finding of_time_zones(const std::string& version, TimePoint now);

/// What to do about an account that a provider does not take as it is.
[[nodiscard]] std::string remedy_for_secrets(const AccountSettings& account);

/// Of what a provider's answer to a harmless call proves. Pure.
[[nodiscard]] Finding of_proof(const AccountSettings& account, const Proven& proven);

}  // namespace fanfare::cli
