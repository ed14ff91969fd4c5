#pragma once

#include "core/clock/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// Formats moments for readers, in their zone and language.
///
/// Zones are the system's (core/time_zones). An unknown one counts as UTC, an unknown locale as
/// English. The calendar is the Gregorian one and digits are Latin, whatever the region. Spaces
/// and minus signs are plain
/// ASCII ones: the narrow no-break space that ICU likes, and the minus of the French "UTC-5",
/// would turn a whole SMS into UCS-2.
///
/// Bounds    locales_max formatters, zones_max zones, results_max answers; each cache is
///           emptied when it is full.
/// Threads   not thread-safe: one per worker thread.
class DateFormatter {
public:
    static constexpr std::size_t locales_max = 64;
    static constexpr std::size_t zones_max = 1'024;
    static constexpr std::size_t results_max = 8'192;

    DateFormatter();
    DateFormatter(DateFormatter&&) noexcept;
    DateFormatter& operator=(DateFormatter&&) noexcept;
    ~DateFormatter();

    /// "November 20, 2026 at 7:30 PM EST" in English, whatever its region (moment.js:
    /// "MMMM D, YYYY at h:mm A z"); the language's own long form elsewhere.
    [[nodiscard]] std::string format(TimePoint moment, std::string_view time_zone,
                                     std::string_view locale);

    /// "in 12 minutes", "in 1 hour", "in 3 days", "now": never too late. Minutes below two
    /// hours, hours below two days. Past moments are "now".
    [[nodiscard]] std::string relative(TimePoint moment, TimePoint now, std::string_view locale);

private:
    struct Caches;
    std::unique_ptr<Caches> caches_;
};

/// Whole minutes until `moment`, rounded to nearest, never negative.
[[nodiscard]] std::int64_t minutes_until(TimePoint moment, TimePoint now);

}  // namespace fanfare
