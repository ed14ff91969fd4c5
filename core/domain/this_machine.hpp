#pragma once

#include <algorithm>
#include <string_view>

namespace fanfare {

/// True of an address or name that never leaves this machine: "localhost", "::1", and 127.0.0.0/8
/// as four numbers. "127.0.0.1.example.com" is a name that anybody may own.
[[nodiscard]] inline bool is_this_machine(std::string_view host) noexcept {
    if (host == "localhost" || host == "::1") return true;
    if (!host.starts_with("127.")) return false;
    int parts = 0;
    while (true) {
        const auto dot = host.find('.');
        const auto part = host.substr(0, dot);
        const bool digits =
            std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (part.empty() || part.size() > 3 || !digits) return false;
        ++parts;
        if (dot == std::string_view::npos) return parts == 4;
        host.remove_prefix(dot + 1);
    }
}

/// The same of "host:port" or "host", where an IPv6 address stands in brackets.
[[nodiscard]] inline bool is_authority_here(std::string_view authority) noexcept {
    if (!authority.starts_with('['))
        return is_this_machine(authority.substr(0, authority.find(':')));
    const auto end = authority.find(']');
    return end != std::string_view::npos && is_this_machine(authority.substr(1, end - 1));
}

}  // namespace fanfare
