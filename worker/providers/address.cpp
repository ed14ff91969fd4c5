#include "worker/providers/address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

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
