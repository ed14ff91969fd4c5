#include "core/http/exchange.hpp"

#include <utility>

namespace fanfare {

void make_new(HttpAnswer& answer) {
    constexpr std::size_t room_max = 4 * 1024;
    HttpAnswer fresh;
    for (const auto text : {&HttpAnswer::body, &HttpAnswer::retry_after,
                            &HttpAnswer::rate_limit_reset, &HttpAnswer::message_id,
                            &HttpAnswer::error_type, &HttpAnswer::date, &HttpAnswer::fault}) {
        // Assigning an empty one would keep the room.
        if ((answer.*text).capacity() > room_max) std::string{}.swap(answer.*text);
        fresh.*text = std::move(answer.*text);
        (fresh.*text).clear();
    }
    answer = std::move(fresh);
}

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
