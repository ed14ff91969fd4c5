#pragma once

#include "core/clock/clock.hpp"

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

}  // namespace fanfare::cli
