#pragma once

#include "core/clock/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// Reads an ISO 8601 moment with a zone: "2026-11-20T19:30:00Z", "...00.25+05:30". The
/// zone must be there, the day must exist, seconds end at 59. Digits after the sixth
/// of the fraction are cut.
[[nodiscard]] std::optional<TimePoint> parse_timestamp(std::string_view text);

/// "2026-11-20T19:30:00.000000Z": always UTC, always six digits.
[[nodiscard]] std::string format_timestamp(TimePoint time);

}  // namespace fanfare
