#include "core/audience/address.hpp"

#include "core/audience/clean.hpp"
#include "core/audience/phone.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace fanfare {
namespace {

constexpr std::uint8_t digit = 1;
constexpr std::uint8_t host = 2;   // Letter, digit, hyphen.
constexpr std::uint8_t atom = 4;   // RFC 5322 atext but for '%'.
constexpr std::uint8_t token = 8;  // What FCM tokens are made of.

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    const auto mark = [&classes](std::string_view bytes, std::uint8_t flags) {
        for (const char c : bytes) {
            auto& entry = classes[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint8_t>(entry | flags);
        }
    };
    mark("0123456789", digit | host | atom | token);
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", host | atom | token);
    mark("-", host | atom | token);
    mark("_", atom | token);
    mark(":", token);
    // No '%': it would open a template word at Mailgun, and mean a route elsewhere.
    mark("!#$&'*+/=?^`{|}~", atom);
    return classes;
}

constexpr std::array<std::uint8_t, 256> byte_classes = make_classes();

bool is(char c, std::uint8_t wanted) noexcept {
    return (byte_classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

bool all(std::string_view text, std::uint8_t wanted) noexcept {
    // Without an early exit the loop has no branch to predict.
    std::uint8_t common = wanted;
    for (const char c : text) {
        common = static_cast<std::uint8_t>(common & byte_classes[static_cast<unsigned char>(c)]);
    }
    return common == wanted;
}

/// Atoms joined by single dots, at most 64 bytes.
bool is_local_part(std::string_view local) noexcept {
    if (local.empty() || local.size() > 64 || local.front() == '.' || local.back() == '.') {
        return false;
    }
    char previous = 'a';
    for (const char c : local) {
        if (!is(c, atom) && (c != '.' || previous == '.')) return false;
        previous = c;
    }
    return true;
}

bool is_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           all(label, host);
}

bool is_email(std::string_view address) noexcept {
    if (address.size() > 254) return false;
    const auto at = address.find('@');
    return at != std::string_view::npos && is_local_part(address.substr(0, at)) &&
           is_host_name(address.substr(at + 1));
}

/// The address out of "mailto:", angle brackets and a name. A list of several is left as it is.
std::string_view unwrapped(std::string_view text) {
    if (text.ends_with('>')) {
        const auto open = text.rfind('<');
        const auto name = text.substr(0, open == std::string_view::npos ? 0 : open);
        if (name.find_first_of("@<") != std::string_view::npos) return text;
        if (open != std::string_view::npos) text = text.substr(open + 1, text.size() - open - 2);
    }
    if (folded(text.substr(0, 7)) == "mailto:") {
        text.remove_prefix(7);
        text = text.substr(0, text.find('?'));
    }
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

/// An address without the quotes before its @ where they are not needed: both are one mailbox.
std::string without_needless_quotes(std::string_view address) {
    const auto at = address.rfind('@');
    const auto quoted = address.substr(0, at);
    if (quoted.size() < 2 || !quoted.starts_with('"') || !quoted.ends_with('"')) {
        return std::string{address};
    }
    std::string local;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] == '\\' && i + 2 < quoted.size()) ++i;
        local.push_back(quoted[i]);
    }
    return is_local_part(local) ? local.append(address.substr(at)) : std::string{address};
}

/// Why nothing can be sent to what stands before the @.
AddressFault find_fault(std::string_view local) {
    if (!is_ascii(local)) return AddressFault::mailbox_beyond_ascii;
    if (local.starts_with('"') && local.ends_with('"') && local.size() > 1) {
        return AddressFault::mailbox_in_quotes;
    }
    const auto may_stand = [](char c) { return is(c, atom) || c == '.' || c == '%'; };
    if (local.empty() || local.size() > 64 || !std::all_of(local.begin(), local.end(), may_stand)) {
        return AddressFault::mailbox;
    }
    const bool has_percent = local.find('%') != std::string_view::npos;
    return has_percent ? AddressFault::mailbox_with_percent : AddressFault::mailbox_in_quotes;
}

AddressFault read_email(std::string clean, std::string& sent) {
    constexpr std::string_view wide_at{"\uff20"};
    if (const auto found = clean.find(wide_at); found != std::string::npos) {
        clean.replace(found, wide_at.size(), "@");
    }
    const auto unquoted = unwrapped(clean);
    if (unquoted.find('@') == std::string_view::npos) return AddressFault::mailbox;
    sent = without_needless_quotes(unquoted);
    if (!is_ascii(sent)) {
        auto with_labels = with_ascii_domain(sent);
        if (!with_labels) return AddressFault::domain;
        sent = std::move(*with_labels);
    }
    if (sent.ends_with('.')) sent.pop_back();
    if (sent.size() > 254) return AddressFault::too_long;
    const std::string_view read{sent};
    // In quotes there may be others.
    const auto at = read.starts_with('"') ? read.rfind('@') : read.find('@');
    const auto local = read.substr(0, at);
    if (!is_local_part(local)) return find_fault(local);
    if (!is_host_name(read.substr(at + 1))) return AddressFault::domain;
    return AddressFault::none;
}

/// The number where a plus may be missing.
std::optional<std::string> number_without_plus(std::string_view clean, Plus plus) {
    constexpr std::size_t north_american_size = 12;
    if (folded(clean.substr(0, 4)) == "tel:") clean.remove_prefix(4);
    auto number = bare_number(std::string{"tel:+"}.append(clean));
    if (!number || plus == Plus::optional) return number;
    const bool one_apart = clean.size() > 1 && clean[0] == '1' && !is(clean[1], digit);
    if (!one_apart || number->size() != north_american_size) return std::nullopt;
    return number;
}

AddressFault read_number(std::string_view clean, std::string& sent, Plus plus) {
    auto number = bare_number(clean);
    if (!number && plus != Plus::needed) number = number_without_plus(clean, plus);
    if (!number) return AddressFault::no_number;
    auto possible = e164(*number);
    if (!possible || !address_is_sendable(Channel::sms, *possible)) {
        return AddressFault::impossible_number;
    }
    sent = std::move(*possible);
    return AddressFault::none;
}

AddressFault read_token(std::string_view clean, std::string& sent) {
    sent = without_joiners(clean);
    if (sent.size() > 4096) return AddressFault::too_long;
    return address_is_sendable(Channel::push, sent) ? AddressFault::none : AddressFault::token;
}

bool is_phone_number(std::string_view address) noexcept {
    return address.size() >= 8 && address.size() <= 16 && address[0] == '+' && address[1] != '0' &&
           all(address.substr(1), digit);
}

}  // namespace

bool is_host_name(std::string_view name) noexcept {
    if (name.size() > 253) return false;
    bool has_dot = false;
    for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
        if (!is_label(name.substr(0, dot))) return false;
        name.remove_prefix(dot + 1);
        has_dot = true;
    }
    // A last label of digits alone is an IP address, which no mail provider delivers to.
    return has_dot && is_label(name) && !all(name, digit);
}

std::string_view describe(AddressFault fault) noexcept {
    switch (fault) {
        case AddressFault::none:
            return "is in order";
        case AddressFault::missing:
            return "is empty";
        case AddressFault::unreadable:
            return "is no UTF-8, or has control characters within";
        case AddressFault::too_long:
            return "is too long for its channel";
        case AddressFault::mailbox:
            return "is no name@domain: nothing can be sent to what stands before its @";
        case AddressFault::mailbox_beyond_ascii:
            return "has letters beyond ASCII before its @: Amazon SES carries mail to no such "
                   "mailbox, nor does a server without SMTPUTF8";
        case AddressFault::mailbox_in_quotes:
            return "can only be written with quotes before its @ (for blanks and other signs, or "
                   "dots side by side or at an end): not every provider takes those";
        case AddressFault::mailbox_with_percent:
            return "has a % before its @, which begins a word of templates at Mailgun and a route "
                   "elsewhere";
        case AddressFault::domain:
            return "has no domain that mail can go to";
        case AddressFault::no_number:
            return "is no phone number: write +, the country code and the digits";
        case AddressFault::impossible_number:
            return "is a number as no country has one: write +, the country code and the digits";
        case AddressFault::token:
            return "is no push token";
    }
    return "";
}

AddressFault read_address(Channel channel, std::string_view written, std::string& sent, Plus plus) {
    if (channel != Channel::sms && address_is_sendable(channel, written)) {
        sent = written;
        return AddressFault::none;
    }
    sent.clear();
    auto clean = cleaned(written);
    if (!clean) return AddressFault::unreadable;
    if (without_joiners(*clean).empty()) return AddressFault::missing;
    switch (channel) {
        case Channel::email:
            return read_email(std::move(*clean), sent);
        case Channel::sms:
            return read_number(*clean, sent, plus);
        case Channel::push:
            return read_token(*clean, sent);
    }
    return AddressFault::unreadable;
}

std::string compared_form(Channel channel, std::string_view sent) {
    std::string form;
    write_compared_form(channel, sent, form);
    return form;
}

void write_compared_form(Channel channel, std::string_view sent, std::string& form) {
    form.clear();
    if (channel == Channel::email) {
        append_folded(sent, form);
    } else {
        form.append(sent);
    }
}

std::optional<std::string> find_compared_form(Channel channel, std::string_view written,
                                              Plus plus) {
    std::string sent;
    if (read_address(channel, written, sent, plus) != AddressFault::none) return std::nullopt;
    return compared_form(channel, sent);
}

std::string former_form(Channel channel, std::string_view sent) {
    std::string form;
    write_former_form(channel, sent, form);
    return form;
}

void write_former_form(Channel channel, std::string_view sent, std::string& form) {
    const auto at = channel == Channel::email ? sent.rfind('@') : std::string_view::npos;
    form.assign(sent.substr(0, at));
    if (at != std::string_view::npos) append_folded(sent.substr(at), form);
}

bool address_is_sendable(Channel channel, std::string_view address) noexcept {
    switch (channel) {
        case Channel::email:
            return is_email(address);
        case Channel::sms:
            return is_phone_number(address);
        case Channel::push:
            return !address.empty() && address.size() <= 4096 && all(address, token);
    }
    return false;
}

std::optional<Mailbox> parse_mailbox(std::string_view text) noexcept {
    const bool is_one_line = std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
    if (!is_one_line) return std::nullopt;
    Mailbox mailbox{"", text};
    if (text.ends_with('>')) {
        const auto open = text.find('<');
        if (open == std::string_view::npos) return std::nullopt;
        mailbox = {text.substr(0, open), text.substr(open + 1, text.size() - open - 2)};
    }
    auto& name = mailbox.name;
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
        name = name.substr(1, name.size() - 2);
    }
    if (!address_is_sendable(Channel::email, mailbox.address)) return std::nullopt;
    return mailbox;
}

}  // namespace fanfare
