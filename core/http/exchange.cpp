#include "core/http/exchange.hpp"

namespace fanfare {

std::string header_line(std::string_view name, std::string_view value) {
    std::string line;
    line.reserve(name.size() + 2 + value.size());
    line.append(name).append(": ");
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        line.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
    }
    return line;
}

}  // namespace fanfare
