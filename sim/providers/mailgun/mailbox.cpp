#include "sim/providers/mailgun/mailbox.hpp"

#include "sim/http/text.hpp"

#include <array>

namespace fanfare::sim {

namespace {

constexpr std::uint8_t atom = 1;   // May stand in a local part (RFC 5322 atext; UTF-8 too).
constexpr std::uint8_t label = 2;  // May stand in a domain label.

constexpr std::array<std::uint8_t, 256> classes = [] {
    std::array<std::uint8_t, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c) table[c] = atom | label;
    for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32] = atom | label;
    for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '/', '=', '?', '^', '_', '`', '{',
                         '|', '}', '~'}) {
        table[static_cast<unsigned char>(c)] = atom;
    }
    table['-'] = atom | label;
    for (unsigned c = 0x80; c < 256; ++c) table[c] = atom | label;
    return table;
}();

// Dots between non-empty runs of one class.
bool is_dotted(std::string_view text, std::uint8_t wanted) noexcept {
    bool dot = true;
    for (const char c : text) {
        if (c == '.') {
            if (dot) return false;
            dot = true;
        } else if ((classes[static_cast<unsigned char>(c)] & wanted) != 0) {
            dot = false;
        } else {
            return false;
        }
    }
    return !dot;
}

bool is_domain(std::string_view text) noexcept {
    if (text.empty() || text.size() > 253 || !is_dotted(text, label)) return false;
    if (text.find('.') == text.npos || text.front() == '-' || text.back() == '-') return false;
    return text.find("-.") == text.npos && text.find(".-") == text.npos;
}

bool is_address(std::string_view text) noexcept {
    const auto at = text.rfind('@');
    if (at == text.npos || at == 0 || at > 64) return false;
    return is_dotted(text.substr(0, at), atom) && is_domain(text.substr(at + 1));
}

// A display name: quoted, or words without specials.
bool is_display_name(std::string_view text) noexcept {
    if (text.empty()) return true;
    if (text.front() == '"') return text.size() >= 2 && text.back() == '"';
    return text.find_first_of("<>@,;:\\\"[]") == text.npos;
}

}  // namespace

std::string_view address_of_mailbox(std::string_view mailbox) noexcept {
    mailbox = trimmed(mailbox);
    auto address = mailbox;
    if (!mailbox.empty() && mailbox.back() == '>') {
        const auto open = mailbox.rfind('<');
        if (open == mailbox.npos || !is_display_name(trimmed(mailbox.substr(0, open)))) return {};
        address = mailbox.substr(open + 1, mailbox.size() - open - 2);
    }
    return is_address(address) ? address : std::string_view{};
}

bool append_addresses(std::string_view list, std::vector<std::string_view>& out) {
    while (true) {
        // A comma between quotes belongs to a display name.
        std::size_t end = list.find_first_of(",\"");
        while (end != list.npos && list[end] == '"') {
            const auto close = list.find('"', end + 1);
            if (close == list.npos) return false;
            end = list.find_first_of(",\"", close + 1);
        }
        const auto address = address_of_mailbox(list.substr(0, end));
        if (address.empty()) return false;
        out.push_back(address);
        if (end == list.npos) return true;
        list.remove_prefix(end + 1);
    }
}

}  // namespace fanfare::sim
