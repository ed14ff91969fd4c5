#include "sim/providers/twilio/message_form.hpp"

#include "sim/http/text.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>
#include <utility>

namespace fanfare::sim {

namespace {

constexpr std::size_t body_characters_max = 1'600;
constexpr std::size_t media_max = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_e164(std::string_view text) {
    return text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
           std::all_of(text.begin() + 1, text.end(), is_digit);
}

// A number, a short code, or up to 11 letters, digits and blanks with one letter.
bool is_sender(std::string_view text) {
    if (is_e164(text)) return true;
    if (text.size() >= 3 && text.size() <= 8 && std::all_of(text.begin(), text.end(), is_digit)) {
        return true;
    }
    return !text.empty() && text.size() <= 11 && std::any_of(text.begin(), text.end(), is_letter) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == ' ' || c == '+' || c == '-' || c == '_' ||
                      c == '&';
           });
}

bool is_sid(std::string_view text, std::string_view prefix) {
    return text.size() == 34 && text.starts_with(prefix) &&
           std::all_of(text.begin() + 2, text.end(), [](char c) {
               return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

// http or https, with a host without underscores.
bool is_callback(std::string_view url) {
    const auto scheme = url.starts_with("https://") ? 8U : url.starts_with("http://") ? 7U : 0U;
    if (scheme == 0) return false;
    const auto host = url.substr(scheme, url.find_first_of(":/?#", scheme) - scheme);
    return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '.';
    });
}

// ISO 8601 in UTC, 300 s to 35 days ahead.
bool is_send_at(std::string_view text, std::int64_t now_s) {
    std::tm time{};
    const std::string copy{text};
    const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
    if (rest == nullptr) return false;
    if (*rest == '.') {
        ++rest;
        while (is_digit(*rest)) ++rest;
    }
    const auto ahead = timegm(&time) - now_s;
    return std::string_view{rest} == "Z" && ahead >= 300 && ahead <= 35 * 24 * 3600;
}

TwilioProblem check_extras(const std::vector<Field>& fields) {
    std::size_t media = 0;
    for (const auto& [name, value] : fields) {
        if (name == "MediaUrl" && (++media > media_max || !is_callback(value))) {
            return {21620, value};
        }
        if (name == "ValidityPeriod") {
            int seconds = 0;
            const auto [end, error] =
                std::from_chars(value.data(), value.data() + value.size(), seconds);
            const bool good = error == std::errc{} && end == value.data() + value.size();
            if (!good || seconds < 1 || seconds > 36'000) return {20001, "ValidityPeriod"};
        }
        if (name == "ContentSid" && !is_sid(value, "HX")) return {20001, "ContentSid"};
    }
    return {};
}

}  // namespace

TwilioMessage read_twilio_message(const std::vector<Field>& fields) {
    TwilioMessage message;
    const std::pair<std::string_view, std::string_view*> wanted[] = {
        {"To", &message.to},
        {"From", &message.from},
        {"MessagingServiceSid", &message.service},
        {"Body", &message.body},
        {"StatusCallback", &message.callback},
        {"SendAt", &message.send_at}};
    for (const auto& field : fields) {
        for (const auto& [name, value] : wanted) {
            if (field.name == name) *value = field.value;
        }
    }
    return message;
}

TwilioProblem check_twilio_message(const TwilioMessage& message, const std::vector<Field>& fields,
                                   std::int64_t now_s) {
    if (message.to.empty()) return {21604, {}};
    if (!is_e164(message.to)) return {21211, message.to};
    if (message.from.empty() && message.service.empty()) return {21603, {}};
    if (!message.service.empty() && !is_sid(message.service, "MG")) {
        return {21701, message.service};
    }
    if (!message.from.empty() && !is_sender(message.from)) return {21212, message.from};
    if (message.from == message.to) return {21266, message.to};
    const bool other_content =
        find_field(fields, "MediaUrl") != nullptr || find_field(fields, "ContentSid") != nullptr;
    if (message.body.empty() && !other_content) return {21602, {}};
    if (!is_valid_utf8(message.body)) return {20001, "Body"};
    if (count_characters(message.body) > body_characters_max) return {21617, {}};
    if (!message.callback.empty() && !is_callback(message.callback)) {
        return {21609, message.callback};
    }
    const auto* schedule = find_field(fields, "ScheduleType");
    if (schedule != nullptr || !message.send_at.empty()) {
        if (message.service.empty()) return {35118, {}};
        if (schedule == nullptr || schedule->value != "fixed" ||
            !is_send_at(message.send_at, now_s)) {
            return {35114, {}};
        }
    }
    return check_extras(fields);
}

TwilioProblem check_magic_numbers(const TwilioMessage& message) {
    constexpr std::pair<std::string_view, int> from[] = {{"+15005550006", 0},
                                                         {"+15005550001", 21212},
                                                         {"+15005550007", 21606},
                                                         {"+15005550008", 21611}};
    constexpr std::pair<std::string_view, int> to[] = {{"+15005550001", 21211},
                                                       {"+15005550002", 21612},
                                                       {"+15005550003", 21408},
                                                       {"+15005550004", 21610},
                                                       {"+15005550009", 21614}};
    if (!message.service.empty()) return {21606, {}};
    int code = 21606;
    for (const auto& [number, meaning] : from) {
        if (number == message.from) code = meaning;
    }
    if (code != 0) return {code, message.from};
    for (const auto& [number, meaning] : to) {
        if (number == message.to) return {meaning, message.to};
    }
    return {};
}

}  // namespace fanfare::sim
