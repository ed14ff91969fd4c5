#include "core/domain/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace fanfare {
namespace {

constexpr std::string_view replacement{"\xEF\xBF\xBD"};

/// One character: how many bytes it has, and what it is. No bytes: this is not UTF-8.
struct Character {
    std::size_t bytes = 0;
    char32_t code = 0;
};

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

Character first_character(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {1, lead};
    Character found;
    if (lead >= 0xC2 && lead < 0xE0) found = {2, lead & 0x1FU};
    if (lead >= 0xE0 && lead < 0xF0) found = {3, lead & 0x0FU};
    if (lead >= 0xF0 && lead < 0xF5) found = {4, lead & 0x07U};
    if (found.bytes == 0 || text.size() < found.bytes) return {};
    for (std::size_t i = 1; i < found.bytes; ++i) {
        if (!is_continuation(text[i])) return {};
        found.code = (found.code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    const bool is_overlong =
        (found.bytes == 3 && found.code < 0x800) || (found.bytes == 4 && found.code < 0x10000);
    const bool is_surrogate = found.code >= 0xD800 && found.code <= 0xDFFF;
    return is_overlong || is_surrogate || found.code > 0x10FFFF ? Character{} : found;
}

/// What acts on whoever shows it instead of being shown.
bool is_control(char32_t c) noexcept {
    const bool is_c0_or_c1 = c < 0x20 || (c >= 0x7F && c <= 0x9F);
    const bool is_separator = c == 0x2028 || c == 0x2029;
    const bool sets_direction = c == 0x061C || c == 0x200E || c == 0x200F ||
                                (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    return is_c0_or_c1 || is_separator || sets_direction;
}

bool is_plain_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

/// Copies what is harmless; of the rest `change(character, out)` writes what stands for it.
template <class Change>
std::string changed(std::string_view text, Change change) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto character = first_character(text);
        if (character.bytes == 0) {
            out.append(replacement);
            text.remove_prefix(1);
            continue;
        }
        if (is_control(character.code)) {
            change(character.code, out);
        } else {
            out.append(text.substr(0, character.bytes));
        }
        text.remove_prefix(character.bytes);
    }
    return out;
}

}  // namespace

std::string printable(std::string_view text, char instead) {
    if (is_plain_ascii(text)) return std::string{text};
    return changed(text, [instead](char32_t, std::string& out) { out.push_back(instead); });
}

std::string printable_lines(std::string_view text, char instead) {
    if (is_plain_ascii(text)) return std::string{text};
    return changed(text, [instead](char32_t c, std::string& out) {
        out.push_back(c == '\n' ? '\n' : instead);
    });
}

std::string printable_json(std::string_view json) {
    if (is_plain_ascii(json)) return std::string{json};
    return changed(json, [](char32_t c, std::string& out) {
        if (c == '\n' || c == '\t') {
            out.push_back(static_cast<char>(c));
        } else if (c != '\r') {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        }
    });
}

}  // namespace fanfare
