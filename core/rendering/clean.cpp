#include "core/rendering/clean.hpp"

#include "core/rendering/content.hpp"
#include "core/rendering/utf8.hpp"

#include <algorithm>

namespace fanfare {
namespace {

bool is_plain_ascii(std::string_view value) noexcept {
    return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// C0, DEL, C1, and Unicode's own line and paragraph separators.
bool is_control(char32_t c) noexcept {
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

/// LF, VT, FF, CR, NEL, LS, PS.
bool separates_lines(char32_t c) noexcept {
    return (c >= 0x0A && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/// A BOM and zero-width blanks; bidi embeddings, overrides and isolates. Joiners and the marks of
/// direction stay: Persian, Hebrew and emoji need them.
bool is_unseen(char32_t c) noexcept {
    return c == 0xFEFF || c == 0x200B || c == 0x2060 || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

std::string cleaned(std::string_view value, PartForm form) {
    std::string out;
    out.reserve(value.size());
    for (std::size_t offset = 0; offset < value.size();) {
        const auto begin = offset;
        const auto c = next_character(value, offset);
        if (c == not_utf8) {
            out.append("\xEF\xBF\xBD");
        } else if (is_unseen(c)) {
            continue;
        } else if (!is_control(c)) {
            out.append(value, begin, offset - begin);
        } else if (form == PartForm::line || c == '\t') {
            out.push_back(' ');
        } else if (separates_lines(c)) {
            const bool is_half = c == '\r' && offset < value.size() && value[offset] == '\n';
            if (!is_half) out.push_back('\n');
        }
    }
    return out;
}

}  // namespace

void append_clean(std::string_view value, PartForm form, std::string& out) {
    std::string replaced;
    if (!is_plain_ascii(value)) {
        replaced = cleaned(value, form);
        value = replaced;
    }
    if (form == PartForm::html) {
        append_html(value, out);
    } else {
        out.append(value);
    }
}

bool is_clean_line(std::string_view value) noexcept {
    if (is_plain_ascii(value)) return true;
    for (std::size_t offset = 0; offset < value.size();) {
        const auto c = next_character(value, offset);
        if (c == not_utf8 || is_control(c) || is_unseen(c)) return false;
    }
    return true;
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
    for (std::size_t offset = 0; offset < text.size();) {
        const auto begin = offset;
        if (next_character(text, offset) == not_utf8) return begin;
    }
    return std::string_view::npos;
}

}  // namespace fanfare
