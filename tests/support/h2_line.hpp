#pragma once

#include "tests/support/http_server.hpp"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::test {

struct H2Frame {
    std::uint8_t type = 0;  // NGHTTP2_DATA ...
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    std::string payload;
};

struct H2Request {
    std::uint32_t stream = 0;
    std::map<std::string, std::string> headers;  // Pseudo headers among them.
    std::string body;
};

/// A server's side of HTTP/2 for the script of a test, frame by frame: it may break every rule.
/// Only header blocks are read by nghttp2. Blocking.
class H2Line {
public:
    using Settings = std::vector<std::pair<std::uint16_t, std::uint32_t>>;
    using Fields = std::vector<std::pair<std::string, std::string>>;

    explicit H2Line(Line& line);
    ~H2Line();
    H2Line(const H2Line&) = delete;
    H2Line& operator=(const H2Line&) = delete;

    /// Reads the client's preface and sends our settings.
    bool shake_hands(const Settings& settings = {});
    /// The next frame of any kind. Acknowledges settings, answers pings, opens windows again.
    [[nodiscard]] std::optional<H2Frame> read_frame();
    /// The next request that is whole.
    [[nodiscard]] std::optional<H2Request> read_request();
    /// Until the client has read all that was written so far. False when it is gone.
    bool wait_for_reader();
    /// Reads on until the client is gone.
    void wait_for_close();

    void write_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                     std::string_view payload);
    void write_headers(std::uint32_t stream, int status, const Fields& fields, bool ends);
    /// Within the client's windows: reads until there is room. False where the client cancelled
    /// the stream or is gone.
    bool write_body(std::uint32_t stream, std::string_view body, bool ends);
    void answer(std::uint32_t stream, int status, std::string_view body, const Fields& fields = {});
    void reset(std::uint32_t stream, std::uint32_t code);
    void go_away(std::uint32_t last_stream, std::uint32_t code);

    /// Windows are never opened again.
    void stop_reading() { opens_windows_ = false; }
    /// The code by which the client reset that stream.
    [[nodiscard]] std::optional<std::uint32_t> reset_of(std::uint32_t stream) const;
    /// Most streams that were open at once, their answer outstanding.
    [[nodiscard]] std::size_t most_open() const noexcept { return most_open_; }
    Line& line() noexcept { return line_; }

private:
    void on_headers(const H2Frame& frame);
    void on_data(const H2Frame& frame);
    void on_settings(const H2Frame& frame);
    void end(std::uint32_t stream);

    Line& line_;
    nghttp2_hd_inflater* inflater_ = nullptr;
    std::map<std::uint32_t, H2Request> begun_;
    std::deque<H2Request> whole_;
    std::map<std::uint32_t, bool> unanswered_;
    std::map<std::uint32_t, std::uint32_t> resets_;
    std::map<std::uint32_t, std::int64_t> windows_;  // What was opened or used of each.
    std::int64_t initial_window_ = 65'535;
    std::int64_t connection_window_ = 65'535;
    std::size_t most_open_ = 0;
    bool opens_windows_ = true;
};

/// A header block of fields, none of which is remembered.
[[nodiscard]] std::string header_block(const H2Line::Fields& fields);
/// Big endian.
[[nodiscard]] std::string four_bytes(std::uint32_t value);

}  // namespace fanfare::test
