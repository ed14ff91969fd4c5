#include "core/rendering/content.hpp"

#include "core/rendering/segments.hpp"

#include <algorithm>
#include <array>

namespace fanfare {

void write_text(const Text& text, const std::string_view* values, std::string& out) {
    for (const auto& piece : text) {
        out.append(piece.literal);
        if (!piece.slot) continue;
        const auto value = values[piece.slot->variable];
        if (piece.slot->escape == Escape::html) {
            append_html(value, out);
        } else {
            out.append(value);
        }
    }
}

bool is_safe_link(std::string_view value) noexcept {
    constexpr std::array<std::string_view, 3> schemes{"https://", "mailto:", "tel:"};
    const auto same = [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    };
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return value.empty() || std::ranges::any_of(schemes, [&](std::string_view scheme) {
               return value.size() > scheme.size() &&
                      std::ranges::equal(value.substr(0, scheme.size()), scheme, same);
           });
}

void write_sms(const Text& text, const std::string_view* values, std::string& out) {
    out.clear();
    write_text(text, values, out);
    fit_sms(out);
}

void append_html(std::string_view value, std::string& out) {
    // Names rarely hold any of the five: find the next one, copy what is before it at once.
    constexpr std::string_view special{"&<>\"'"};
    for (;;) {
        const auto at = value.find_first_of(special);
        out.append(value.substr(0, at));
        if (at == std::string_view::npos) return;
        switch (value[at]) {
            case '&':
                out.append("&amp;");
                break;
            case '<':
                out.append("&lt;");
                break;
            case '>':
                out.append("&gt;");
                break;
            case '"':
                out.append("&quot;");
                break;
            default:
                out.append("&#39;");
                break;
        }
        value.remove_prefix(at + 1);
    }
}

}  // namespace fanfare
