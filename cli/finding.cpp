#include "cli/finding.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fanfare::cli {
namespace {

constexpr int years_max = 2;
constexpr int unauthorized = 401;
constexpr int forbidden = 403;
constexpr int not_found = 404;

std::string place_of(const AccountSettings& account) {
    return fmt::format("account {} in {}:{}", account.name, account.file, account.line);
}

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

std::string remedy_for_secrets(const AccountSettings& account) {
    return fmt::format(
        "mend the secrets of {}; workers read them again by themselves where they come from files",
        place_of(account));
}

Finding of_answer(const AccountSettings& account, const HttpAnswer& answer) {
    const auto say = [&account](std::string_view level, std::string found, std::string type) {
        return Finding{level, fmt::format("account {}", account.name), std::move(found),
                       std::move(type)};
    };
    if (answer.transport != Transport::answered) {
        return say("error", fmt::format("{} cannot be reached: {}", account.type, answer.fault),
                   "look at the network, and at base_url of " + place_of(account));
    }
    const auto status = answer.status;
    if (status == unauthorized || status == forbidden) {
        return say("error", fmt::format("{} refuses its credentials ({})", account.type, status),
                   remedy_for_secrets(account));
    }
    if (status == not_found) {
        return say("error", account.type + " knows no such account or domain (404)",
                   "look at what names it, and at base_url: " + place_of(account));
    }
    if (status / 100 != 2) {
        return say("warning",
                   fmt::format("{} answers {}: whether it takes the credentials is not known",
                               account.type, status),
                   "wait a minute, then: fanfare doctor");
    }
    return say("ok", account.type + " takes its credentials", "");
}

}  // namespace fanfare::cli
