#include "core/wire/trace_context.hpp"

#include "core/domain/trace.hpp"

#include <algorithm>

namespace fanfare {
namespace {

bool is_named(std::string_view name, std::string_view wanted) {
    return name.size() == wanted.size() &&
           std::equal(name.begin(), name.end(), wanted.begin(), [](char x, char y) {
               return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
           });
}

}  // namespace

std::string read_trace(EventHeaders headers) {
    std::string_view parent;
    std::string state;
    for (const auto& [name, value] : headers) {
        if (is_named(name, "traceparent")) {
            if (!parent.empty()) return {};
            parent = value;
        } else if (is_named(name, "tracestate")) {
            // One list may come as several headers.
            state += state.empty() ? value : "," + value;
        }
    }
    const auto context = parse_trace(parent, state);
    return context ? encode_trace(*context) : std::string{};
}

}  // namespace fanfare
