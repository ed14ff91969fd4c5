#pragma once

#include "core/web/head.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// Takes the body of a request out of bytes that arrive bit by bit, however it is framed. Chunk
/// extensions and trailers are read over: nothing here knows what they mean.
///
/// Bounds    `bytes_max` of body; 1 KiB a chunk's first line, 16 KiB of extensions, 8 KiB of
/// trailers.
class BodyReader {
public:
    BodyReader(const RequestHead& head, std::size_t bytes_max);

    /// Takes what is the body's off the front of `bytes`; what is behind the body stays.
    [[nodiscard]] std::optional<HttpFault> take(std::string_view& bytes);
    [[nodiscard]] bool is_whole() const noexcept { return state_ == State::whole; }

    [[nodiscard]] std::string& body() noexcept { return body_; }

private:
    enum class State : std::uint8_t {
        sized,   // So many bytes, not in chunks.
        digits,  // Of a chunk's size.
        blank,   // Behind it, before a semicolon.
        extension,
        size_end,  // The line feed of that line.
        data,
        data_cr,
        data_end,
        trailer,   // A line of them, or the empty one.
        last_end,  // The line feed of the empty one.
        whole,
    };

    void copy(std::string_view& bytes);
    [[nodiscard]] std::optional<HttpFault> step(char c);
    [[nodiscard]] std::optional<HttpFault> read_size(char c);
    [[nodiscard]] std::optional<HttpFault> read_extension(char c);
    [[nodiscard]] std::optional<HttpFault> read_trailer(char c);

    std::size_t bytes_max_;
    State state_;
    std::uint64_t left_ = 0;      // Of the chunk or of the body.
    std::size_t digits_ = 0;      // Of the chunk's size.
    std::size_t line_ = 0;        // Bytes of the chunk's first line.
    std::size_t extensions_ = 0;  // Bytes of all of them.
    std::size_t trailers_ = 0;
    std::string trailer_;  // The line under way.
    std::string body_;
};

}  // namespace fanfare
