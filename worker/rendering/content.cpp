#include "worker/rendering/content.hpp"

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
