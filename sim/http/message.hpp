#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::sim {

/// ASCII only, as header names are.
[[nodiscard]] bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept;

/// One header or one form field, as views.
struct Field {
    std::string_view name;
    std::string_view value;
};

/// A complete request. Views into the connection's memory: valid until it is answered.
struct Request {
    std::string_view method;
    std::string_view path;   // Without the query; not percent-decoded.
    std::string_view query;  // Without the '?'.
    std::span<const Field> headers;
    std::string_view body;
    bool http2 = false;

    /// The first header of that name, "" when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

/// An answer. Kept and cleared by its owner so that its memory is used again.
struct Answer {
    int status = 200;
    std::string_view type = "application/json";
    std::vector<std::pair<std::string_view, std::string>> headers;  // Lower-case names.
    std::string body;
    /// When set, `body` is empty and this appends the next piece; false: that was the last.
    std::function<bool(std::string&)> more;

    void clear();
};

[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// Where bounds of the server are written down.
struct HttpBounds {
    std::size_t header_bytes_max = 32 * 1024;
    std::size_t header_fields_max = 128;
    std::size_t body_bytes_max = 30 * 1024 * 1024;
    std::uint32_t streams_max = 1'000;  // Concurrent HTTP/2 streams of a connection.
};

}  // namespace fanfare::sim
