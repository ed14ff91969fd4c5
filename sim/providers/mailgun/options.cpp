#include "sim/providers/mailgun/options.hpp"

#include "sim/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>
#include <string_view>

namespace fanfare::sim {

namespace {

constexpr std::size_t option_bytes_max = 16 * 1024;
constexpr std::size_t tag_bytes_max = 128;
constexpr std::size_t tags_max = 10;
constexpr std::int64_t schedule_max_s = 3 * 24 * 3600;

bool is_header_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

bool is_yes_no(std::string_view value) {
    return value == "yes" || value == "no" || value == "true" || value == "false";
}

// "1h30m", "45m": 5 minutes to 24 hours.
bool is_deliver_within(std::string_view value) {
    int minutes = 0;
    while (!value.empty()) {
        int number = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        const auto used = static_cast<std::size_t>(end - value.data());
        if (error != std::errc{} || number < 0 || number > 1440 || used >= value.size()) {
            return false;
        }
        if (value[used] != 'h' && value[used] != 'm') return false;
        minutes += value[used] == 'h' ? number * 60 : number;
        value.remove_prefix(used + 1);
    }
    return minutes >= 5 && minutes <= 24 * 60;
}

std::optional<std::int64_t> parse_time(const std::string& value) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error == std::errc{} && end == value.data() + value.size()) return seconds;
    for (const char* form : {"%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z",
                             "%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S UTC"}) {
        std::tm time{};
        const char* rest = strptime(value.c_str(), form, &time);
        if (rest == nullptr || *rest != '\0') continue;
        const auto offset = time.tm_gmtoff;
        return timegm(&time) - offset;
    }
    return std::nullopt;
}

std::string check_option(std::string_view name, std::string_view value, std::int64_t now_s) {
    if (name == "o:tag") {
        const bool good = !value.empty() && value.size() <= tag_bytes_max && is_ascii(value);
        return good ? "" : "o:tag must be ASCII and at most 128 characters";
    }
    if (name == "o:deliverytime") {
        const auto at = parse_time(std::string{value});
        if (!at) return "o:deliverytime parameter is not a valid date. please check documentation";
        const bool near = *at <= now_s + schedule_max_s;
        return near ? "" : "o:deliverytime is too far in the future, max is 3 days";
    }
    if (name == "o:deliver-within") {
        return is_deliver_within(value) ? "" : "o:deliver-within must be between 5m and 24h";
    }
    const bool with_htmlonly = name == "o:tracking" || name == "o:tracking-clicks";
    const bool is_switch = with_htmlonly || name == "o:tracking-opens" || name == "o:dkim" ||
                           name == "o:require-tls" || name == "o:skip-verification" ||
                           name == "o:testmode";
    if (is_switch && !is_yes_no(value) && !(with_htmlonly && value == "htmlonly")) {
        return fmt::format("{} parameter is invalid. please check documentation", name);
    }
    return "";
}

}  // namespace

std::string check_mailgun_options(const std::vector<Part>& parts, std::int64_t now_s) {
    std::size_t bytes = 0;
    std::size_t tags = 0;
    for (const auto& part : parts) {
        if (part.name.size() < 2 || part.name[1] != ':') continue;
        const auto kind = part.name[0];
        if (kind != 'o' && kind != 'h' && kind != 'v' && kind != 't') continue;
        bytes += part.value.size();
        if (kind == 'h' && !is_header_name(part.name.substr(2))) {
            return "header names must be ASCII. please check documentation";
        }
        if (kind == 'h' && part.value.find_first_of("\r\n") != part.value.npos) {
            return "header values must be a single line. please check documentation";
        }
        if (kind != 'o') continue;
        if (part.name == "o:tag" && ++tags > tags_max) return "Too many tags, max is 10";
        auto problem = check_option(part.name, part.value, now_s);
        if (!problem.empty()) return problem;
    }
    if (bytes > option_bytes_max) {
        return "total size of o:, h:, v: and t: parameters exceeds 16KB";
    }
    return "";
}

}  // namespace fanfare::sim
