#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

/// What stands against bytes that should be a request: the answer they deserve. The connection
/// ends behind it, for nobody knows where the next request would begin.
struct HttpFault {
    int status = 400;         // 400, 413, 414, 431, 501 or 505.
    std::string_view code;    // For programs.
    std::string_view detail;  // For people.
};

inline constexpr std::size_t head_bytes_max = 16 * 1024;
inline constexpr std::size_t request_line_max = 8 * 1024;
inline constexpr std::size_t fields_max = 100;

/// The first part of a request, as RFC 9112 has it and nothing besides: where it leaves a choice,
/// it is refused, because a proxy before us may have chosen otherwise.
struct RequestHead {
    std::string method;
    std::string target;  // Path and query, or "*": the authority of an absolute one is in `host`.
    std::string host;    // "" where a client of HTTP/1.0 says none.
    std::vector<std::pair<std::string, std::string>> fields;
    int minor = 1;             // Of HTTP/1.x.
    bool chunked = false;      // A body in chunks; else
    std::uint64_t length = 0;  // one of so many bytes.
    bool keep_alive = true;
    bool expects_continue = false;

    [[nodiscard]] bool has_body() const noexcept { return chunked || length > 0; }
};

/// Finds the end of a head in bytes that arrive bit by bit.
///
/// Bounds    head_bytes_max, request_line_max.
class HeadFinder {
public:
    /// Where the head ends in all bytes that have come so far; 0: more are needed.
    [[nodiscard]] std::variant<std::size_t, HttpFault> look(std::string_view bytes);

private:
    std::size_t at_ = 0;    // Looked at so far.
    std::size_t line_ = 0;  // Where the present line begins.
    bool begun_ = false;    // There was a line that is not empty.
};

/// Reads a head that ends with its empty line; empty lines before it are skipped.
[[nodiscard]] std::variant<RequestHead, HttpFault> read_head(std::string_view bytes);

/// A line "Name: value" without its end; nothing unless it is sound.
[[nodiscard]] bool is_field_line(std::string_view line) noexcept;

}  // namespace fanfare
