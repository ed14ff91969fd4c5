#include "cli/finding.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fanfare::cli {
namespace {

constexpr int years_max = 2;

}  // namespace

Finding of_time_zones(const std::string& version, TimePoint now) {
    constexpr std::size_t digits = 4;
    int year = 0;
    const char* const begin = version.data();
    const bool is_read = version.size() > digits &&
                         std::from_chars(begin, begin + digits, year).ptr == begin + digits;
    if (!is_read) {
        return {"error", "time zones", "the system has no time-zone data, or does not say which",
                "apt-get install tzdata"};
    }
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    if (year + years_max <= static_cast<int>(today.year())) {
        return {"warning", "time zones",
                fmt::format("the data is of {}: clocks may have been changed since", version),
                "apt-get install --only-upgrade tzdata"};
    }
    return {"ok", "time zones", "the data is of " + version, ""};
}

}  // namespace fanfare::cli
