#include "core/providers/wait_hint.hpp"

#include "core/providers/provider.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace fanfare {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t date_bytes_max = 64;
constexpr std::size_t seconds_bytes_max = 32;

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Digits, perhaps with a fraction; no sign, no exponent, nothing behind.
std::optional<double> parse_seconds(std::string_view text) {
    if (text.empty() || text.size() > seconds_bytes_max ||
        text.find_first_not_of("0123456789.") != std::string_view::npos) {
        return std::nullopt;
    }
    double seconds = 0;
    const auto* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
    if (result.ec != std::errc{} || result.ptr != end || !std::isfinite(seconds)) {
        return std::nullopt;
    }
    return seconds;
}

milliseconds bounded(double seconds) noexcept {
    if (!(seconds > 0)) return milliseconds{0};
    const auto most = static_cast<double>(wait_hint_max.count());
    return milliseconds{static_cast<std::int64_t>(std::ceil(std::min(seconds * 1000, most)))};
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view date) {
    date = trimmed(date);
    // libcurl also takes bare numbers for dates ("20260101"); a date of ours has a month's name.
    if (date.size() > date_bytes_max || date.find(' ') == std::string_view::npos ||
        date.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    const std::string terminated{date};
    const auto moment = static_cast<std::int64_t>(curl_getdate(terminated.c_str(), nullptr));
    return moment < 0 ? std::nullopt : std::optional{moment};
}

milliseconds wait_until_date(std::string_view date, std::int64_t now_unix) {
    const auto moment = parse_date(date);
    return moment ? bounded(static_cast<double>(*moment) - static_cast<double>(now_unix))
                  : milliseconds{0};
}

milliseconds parse_retry_after(std::string_view value, std::int64_t now_unix) {
    value = trimmed(value);
    if (const auto seconds = parse_seconds(value)) return bounded(*seconds);
    return wait_until_date(value, now_unix);
}

milliseconds parse_rate_limit_reset(std::string_view value, std::int64_t now_unix) {
    const auto moment = parse_seconds(trimmed(value));
    return moment ? bounded(*moment - static_cast<double>(now_unix)) : milliseconds{0};
}

milliseconds wait_hint(const HttpAnswer& answer, std::int64_t now_unix) {
    const auto told = parse_retry_after(answer.retry_after, now_unix);
    return told.count() > 0 ? told : parse_rate_limit_reset(answer.rate_limit_reset, now_unix);
}

}  // namespace fanfare
