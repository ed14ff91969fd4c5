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

bool is_tag(char32_t c) noexcept { return c >= 0xE0020 && c <= 0xE007F; }

/// LRM, RLM, ALM.
bool is_direction_mark(char32_t c) noexcept { return c == 0x200E || c == 0x200F || c == 0x061C; }

/// Unseen itself, and yet it changes what is seen: Persian, old Korean, Mongolian and emoji need
/// it.
bool changes_others(char32_t c) noexcept {
    return c == 0x200C || c == 0x200D || c == 0x115F || c == 0x1160 ||
           (c >= 0x180B && c <= 0x180D) || c == 0x180F || (c >= 0xFE00 && c <= 0xFE0F) ||
           (c >= 0xE0100 && c <= 0xE01EF);
}

bool has_right_to_left(std::string_view value) noexcept {
    for (std::size_t offset = 0; offset < value.size();) {
        const auto c = next_character(value, offset);
        if (!is_direction_mark(c) && is_right_to_left(c)) return true;
    }
    return false;
}

/// What of a value nobody sees and nobody misses.
class Unseen {
public:
    explicit Unseen(std::string_view value) noexcept : value_{value} {}

    bool operator()(char32_t c) {
        constexpr char32_t black_flag = 0x1F3F4;
        const bool in_flag = before_ == black_flag || is_tag(before_);
        before_ = is_tag(c) && !in_flag ? 0 : c;
        if (!is_ignorable(c) || changes_others(c)) return false;
        if (is_tag(c)) return !in_flag;
        if (!is_direction_mark(c)) return true;
        if (!is_known_) is_right_to_left_ = has_right_to_left(value_);
        is_known_ = true;
        return !is_right_to_left_;
    }

private:
    std::string_view value_;
    char32_t before_ = 0;
    bool is_known_ = false;  // What follows: it is asked once a value.
    bool is_right_to_left_ = false;
};

std::string cleaned(std::string_view value, PartForm form) {
    std::string out;
    out.reserve(value.size());
    Unseen is_unseen{value};
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

bool is_clean_line(std::string_view value) {
    if (is_plain_ascii(value)) return true;
    Unseen is_unseen{value};
    for (std::size_t offset = 0; offset < value.size();) {
        const auto c = next_character(value, offset);
        if (c == not_utf8 || is_control(c) || is_unseen(c)) return false;
    }
    return true;
}

bool is_nothing(std::string_view value) {
    return value.empty() || (!is_plain_ascii(value) && cleaned(value, PartForm::text).empty());
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
    for (std::size_t offset = 0; offset < text.size();) {
        const auto begin = offset;
        if (next_character(text, offset) == not_utf8) return begin;
    }
    return std::string_view::npos;
}

}  // namespace fanfare
