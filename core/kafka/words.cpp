#include "core/kafka/words.hpp"

#include "core/domain/printable.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace fanfare::kafka {
namespace {

constexpr std::size_t bytes_max = 300;

// Behind these a broker's own text follows.
constexpr std::array<std::string_view, 4> foreign_begins{
    "uthentication error:", "uthentication failure:", "uthentication:", "broker responded with"};

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Where a quoted text begins; an apostrophe between letters begins none.
std::size_t find_quote(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' || text[i] == '`') return i;
        if (text[i] == '\'' && (i == 0 || !is_letter(text[i - 1]))) return i;
    }
    return std::string_view::npos;
}

}  // namespace

std::string own_words(std::string_view text) {
    for (const auto mark : foreign_begins) {
        if (const auto at = text.find(mark); at != std::string_view::npos) {
            text = text.substr(0, at + mark.size());
        }
    }
    std::string out;
    while (!text.empty() && out.size() < bytes_max) {
        const auto open = std::min(find_quote(text), text.size());
        out.append(text.substr(0, open));
        if (open == text.size()) break;
        out.append("(...)");
        const char closing = text[open] == '`' ? '\'' : text[open];
        // What is never closed is left out to its end.
        const auto close = text.find(closing, open + 1);
        text.remove_prefix(close == std::string_view::npos ? text.size() : close + 1);
    }
    if (out.size() > bytes_max) out.resize(bytes_max);
    return printable(out, ' ');
}

}  // namespace fanfare::kafka
