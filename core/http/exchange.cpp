#include "core/http/exchange.hpp"

namespace fanfare {

std::string header_line(std::string_view name, std::string_view value) {
    std::string line;
    write_header_line(name, value, line);
    return line;
}

void write_header_line(std::string_view name, std::string_view value, std::string& line) {
    line.clear();
    line.reserve(name.size() + 2 + value.size());
    line.append(name).append(": ");
    for (const char byte : value) line.push_back(in_header_line(byte));
}

}  // namespace fanfare
