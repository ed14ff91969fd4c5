#include "core/postgres/array.hpp"

#include <algorithm>

namespace fanfare::postgres {

void append_element(std::string& literal, std::string_view value) {
    literal.append(literal.size() == 1 ? "\"" : ",\"");
    for (const char c : value) {
        if (c == '"' || c == '\\') literal.push_back('\\');
        literal.push_back(c);
    }
    literal.push_back('"');
}

std::string to_array_literal(std::span<const std::string> texts) {
    ArrayLiteral array;
    for (const auto& text : texts) array.add(text);
    return array.text();
}

void parse_array(std::string_view literal, TextArray& out) {
    out.elements.clear();
    out.storage.clear();
    if (literal.size() < 2) return;
    // Never grows below, and never so short that its bytes would be inside the string object
    // and stay behind when it moves: views into it stay good.
    out.storage.reserve(std::max<std::size_t>(literal.size(), sizeof(std::string)));
    std::size_t at = 1;
    const auto last = literal.size() - 1;
    while (at < last) {
        const auto begin = out.storage.size();
        if (literal[at] == '"') {
            for (++at; at < last && literal[at] != '"'; ++at) {
                if (literal[at] == '\\') ++at;
                out.storage.push_back(literal[at]);
            }
            ++at;
        } else {
            auto end = literal.find(',', at);
            if (end == std::string_view::npos || end > last) end = last;
            out.storage.append(literal, at, end - at);
            at = end;
        }
        out.elements.emplace_back(out.storage.data() + begin, out.storage.size() - begin);
        ++at;  // The comma, or past the end.
    }
}

}  // namespace fanfare::postgres
