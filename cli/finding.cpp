#include "cli/finding.hpp"

#include "core/domain/number.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fanfare::cli {
namespace {

constexpr int years_max = 2;

std::string name_account(const AccountSettings& account) {
    return fmt::format("account {} in {}:{}", account.name, account.file, account.line);
}

/// The credentials are good; what is missing is a right.
Finding may_not(const AccountSettings& account, const std::string& what) {
    const auto name = fmt::format("account {}", account.name);
    if (account.type == "ses") {
        return {"warning", name,
                fmt::format("ses takes its credentials and tells them nothing ({}): whether they "
                            "may send is not known",
                            what),
                "allow ses:GetAccount to the IAM user of " + name_account(account)};
    }
    return {"error", name,
            fmt::format("{} takes its key, which may not send ({})", account.type, what),
            "give the key of " + name_account(account) + " the right to send mail"};
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
        name_account(account));
}

Finding of_proof(const AccountSettings& account, const Proven& proven) {
    const auto& [proof, what] = proven;
    const auto say = [&account, &what = what](std::string_view level, std::string_view words,
                                              std::string type) {
        const auto found = fmt::format(fmt::runtime(words), account.type, what);
        return Finding{level, fmt::format("account {}", account.name), found, std::move(type)};
    };
    const auto place = name_account(account);
    const bool is_mail_server = account.type == "smtp";
    switch (proof) {
        case Proof::well:
            return say("ok", "{} takes its credentials", "");
        case Proof::unreachable:
            return say("error", "{} cannot be reached: {}",
                       fmt::format("look at the network, and at {} of {}",
                                   is_mail_server ? "host, port and tls" : "base_url", place));
        case Proof::refused:
            return say("error", "{} refuses its credentials ({})", remedy_for_secrets(account));
        case Proof::clock:
            return say("error", "{} finds its credentials signed at the wrong time ({})",
                       "timedatectl set-ntp true");
        case Proof::unknown:
            return say("error", "{} knows no such account, domain or topic ({})",
                       "look at what names it, and at base_url: " + place);
        case Proof::may_not:
            return may_not(account, what);
        case Proof::unclear:
            break;
    }
    const auto status = parse_number<int>(what).value_or(0);
    const bool is_elsewhere = status >= 300 && status < 500 && status != 429;
    return say("warning", "{} answers {}: whether it takes the credentials is not known",
               is_elsewhere ? "see that it is the provider who answers, at base_url: " + place
                            : "wait a minute, then: fanfare doctor");
}

}  // namespace fanfare::cli
