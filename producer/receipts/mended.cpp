#include "producer/receipts/mended.hpp"

#include <cstdint>

namespace fanfare::receipts {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view blanks = " \t\r\n";

constexpr std::uint8_t byte_at(std::string_view text, std::size_t at) noexcept {
    return static_cast<std::uint8_t>(text[at]);
}

/// Length of the well-formed UTF-8 sequence at `at`, or 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) noexcept {
    const auto first = byte_at(text, at);
    if (first < 0x80) return 1;
    const std::size_t length = first < 0xC2   ? 0
                               : first < 0xE0 ? 2
                               : first < 0xF0 ? 3
                               : first < 0xF5 ? 4
                                              : 0;
    if (length == 0 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte_at(text, at + i) & 0xC0U) != 0x80) return 0;
    }
    const auto second = byte_at(text, at + 1);
    const bool bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return bad ? 0 : length;
}

/// The unit of "\uXXXX" at `at`; nothing where no such escape stands there.
std::optional<std::uint32_t> unit_at(std::string_view text, std::size_t at) noexcept {
    if (at + 6 > text.size() || text.substr(at, 2) != "\\u") return std::nullopt;
    std::uint32_t unit = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
        const char c = text[i];
        const bool is_digit = c >= '0' && c <= '9';
        const bool is_low = c >= 'a' && c <= 'f';
        if (!is_digit && !is_low && (c < 'A' || c > 'F')) return std::nullopt;
        const auto value =
            static_cast<std::uint32_t>(is_digit ? c - '0' : (is_low ? c - 'a' : c - 'A') + 10);
        unit = unit * 16 + value;
    }
    return unit;
}

/// Appends the escape at `at`; returns where to go on.
std::size_t append_escape(std::string_view text, std::size_t at, std::string& out) {
    if (const auto unit = unit_at(text, at)) {
        const bool is_high = *unit >= 0xD800 && *unit <= 0xDBFF;
        const auto next = is_high ? unit_at(text, at + 6) : std::nullopt;
        if (next && *next >= 0xDC00 && *next <= 0xDFFF) {
            out.append(text.substr(at, 12));
            return at + 12;
        }
        const bool is_half = *unit >= 0xD800 && *unit <= 0xDFFF;
        out.append(is_half ? replacement : text.substr(at, 6));
        return at + 6;
    }
    const char name = at + 1 < text.size() ? text[at + 1] : '\0';
    if (std::string_view{"\"\\/bfnrt"}.find(name) != std::string_view::npos && name != '\0') {
        out.append(text.substr(at, 2));
        return at + 2;
    }
    out.append(replacement);
    return at + 1;
}

/// Where the string that begins at `at` ends: behind its closing quote, or at the end of `json`.
std::size_t end_of_string(std::string_view json, std::size_t at) noexcept {
    for (++at; at < json.size(); ++at) {
        if (json[at] == '"') return at + 1;
        if (json[at] == '\\') ++at;
    }
    return json.size();
}

/// Where the element that begins at `at` ends: at its comma, at the array's end, or at json's.
std::size_t end_of_element(std::string_view json, std::size_t at) noexcept {
    std::size_t depth = 0;
    while (at < json.size()) {
        const char c = json[at];
        if (c == '"') {
            at = end_of_string(json, at);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']')) return at;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && depth > 0) --depth;
        ++at;
    }
    return at;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const auto length = sequence_length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

std::string mended(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    bool inside = false;
    for (std::size_t at = 0; at < json.size();) {
        const char c = json[at];
        if (c == '"') inside = !inside;
        if (!inside || c == '"') {
            out.push_back(c);
            ++at;
        } else if (c == '\\') {
            at = append_escape(json, at, out);
        } else if (const auto length = sequence_length(json, at); length != 1) {
            out.append(length == 0 ? replacement : json.substr(at, length));
            at += length == 0 ? 1 : length;
        } else {
            out.push_back(byte_at(json, at) < 0x20 ? ' ' : c);
            ++at;
        }
    }
    return out;
}

std::optional<std::vector<std::string_view>> split_elements(std::string_view json) {
    auto at = json.find_first_not_of(blanks);
    if (at == std::string_view::npos || json[at] != '[') return std::nullopt;
    std::vector<std::string_view> elements;
    while (at < json.size() && json[at] != ']') {
        const auto begin = at + 1;  // Behind '[' or ','.
        at = end_of_element(json, begin);
        elements.push_back(json.substr(begin, at - begin));
    }
    return elements;
}

}  // namespace fanfare::receipts
