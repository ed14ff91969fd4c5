#pragma once

#include "core/clock/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

// One reader of moments for jobs, rows and texts.

/// Reads "2026-11-20T19:30:00Z" as RFC 3339, Java and PostgreSQL write it: T, t or a blank; seconds
/// and up to nine decimals may be left out, those after the sixth are cut; the zone is Z, z, +05,
/// +0530 or +05:30, and UTC where there is none. The day must exist, seconds end at 59, years are
/// 1 to 9999.
[[nodiscard]] std::optional<TimePoint> parse_time_or_utc(std::string_view text);

/// The same for what somebody orders: the zone must be there.
[[nodiscard]] std::optional<TimePoint> parse_timestamp(std::string_view text);

/// "2026-11-20T19:30:00.000000Z": always UTC, always six digits.
[[nodiscard]] std::string format_timestamp(TimePoint time);

}  // namespace fanfare
