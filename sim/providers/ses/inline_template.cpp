#include "sim/providers/ses/inline_template.hpp"

#include <algorithm>

namespace fanfare::sim {

namespace {

bool is_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_';
    });
}

}  // namespace

bool collect_slots(std::string_view text, std::unordered_set<std::string>& names) {
    for (;;) {
        const auto open = text.find("{{");
        if (open == text.npos) return true;
        const bool is_escaped = open > 0 && (text[open - 1] == '\\' || text[open - 1] == '{');
        const auto close = text.find("}}", open);
        if (is_escaped || close == text.npos) return false;
        const auto name = text.substr(open + 2, close - open - 2);
        text.remove_prefix(close + 2);
        if (!is_name(name) || text.starts_with('}')) return false;
        names.emplace(name);
    }
}

std::string fill(std::string_view text, const boost::json::object& data) {
    std::string out;
    for (;;) {
        const auto open = text.find("{{");
        const auto close = open == text.npos ? open : text.find("}}", open);
        out.append(text.substr(0, open));
        if (close == text.npos) return out;
        const auto name = text.substr(open + 2, close - open - 2);
        const auto* value = data.if_contains(name);
        const bool is_text = value != nullptr && value->is_string();
        out.append(is_text ? std::string_view{value->get_string()}
                           : text.substr(open, close + 2 - open));
        text.remove_prefix(close + 2);
    }
}

}  // namespace fanfare::sim
