#pragma once

#include "core/handle/handle.hpp"
#include "core/http/open_exchange.hpp"

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// The client's side of one HTTP/2 connection, on nghttp2 and without I/O: bytes in, frames out.
///
/// What it says of an exchange that comes to no answer (RFC 9113, 8.7): not_sent where its stream
/// was refused, stands above the last one of a GOAWAY, or the end of the request never left;
/// in_doubt otherwise.
///
/// Bounds    an answer has answer_bytes_max of body and 64 KiB of headers; 10,000 frames or 2 MiB
///           in a row that bring nobody an answer end the connection, as do nghttp2's own bounds
///           (endless headers, settings, acknowledgements that nobody reads).
/// Threads   one.
/// Lifetime  exchanges outlive their place in it: until they are ended, or lose() was called.
class H2Session {
public:
    /// `first_stream`: odd; only 2^30 streams fit into a connection, and tests need not count on.
    explicit H2Session(std::uint32_t streams_max, std::int32_t first_stream = 1);
    H2Session(const H2Session&) = delete;
    H2Session& operator=(const H2Session&) = delete;

    /// Reads what the server sent.
    void receive(std::string_view bytes);
    /// Appends frames that may leave now, until `out` holds so many bytes or more: the next batch.
    /// Where there is room for a stream, `next` gives the exchange that gets it, or nothing.
    void gather(std::string& out, std::size_t bytes_max,
                const std::function<OpenExchange*()>& next);
    /// True where one more stream may be opened: the server's settings are known and leave room.
    [[nodiscard]] bool has_room() const;
    /// Ends an exchange from our side: the stream is cancelled, the exchange let go.
    void abandon(OpenExchange& exchange, std::string_view fault);
    /// Ends all: the connection is lost. Where nothing of the current batch left, who is in it
    /// was not sent.
    void lose(std::string_view fault, bool batch_left);
    /// Asks the server for a sign of life.
    void ping();

    /// Those that ended since the last call, with their answer. `room` is reused for the next.
    [[nodiscard]] std::vector<OpenExchange*> take_ended(std::vector<OpenExchange*> room = {});
    [[nodiscard]] bool has_ended() const noexcept { return !ended_.empty(); }

    [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }
    /// Streams that were opened so far.
    [[nodiscard]] std::uint64_t begun() const noexcept { return begun_; }
    /// Answers to ping() so far.
    [[nodiscard]] std::uint64_t pongs() const noexcept { return pongs_; }
    /// The server's settings are known.
    [[nodiscard]] bool is_settled() const noexcept { return settled_; }
    /// It takes no new streams; who has one keeps it.
    [[nodiscard]] bool is_leaving() const noexcept;
    /// Nothing is read or written any more.
    [[nodiscard]] bool is_over() const;
    /// Why it is over or leaving, in words.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    using Native = Handle<nghttp2_session, nghttp2_session_del>;
    struct Callbacks;

    void begin(OpenExchange& exchange);
    void drain(std::string& out, std::size_t bytes_max);
    void on_status(OpenExchange& exchange, std::string_view value);
    void on_frame(const nghttp2_frame& frame);
    void on_close(std::int32_t stream, std::uint32_t code);
    /// The server's last word on a stream.
    void on_end(OpenExchange& exchange);
    void end(OpenExchange& exchange, Transport transport, std::string_view fault);
    /// False where the server has sent too much for nothing.
    [[nodiscard]] bool bears_frame();
    [[nodiscard]] bool bears_bytes(std::size_t size);
    void note_fruit();
    [[nodiscard]] OpenExchange* find(std::int32_t stream) const;

    Native session_;
    std::uint32_t streams_max_;
    std::vector<OpenExchange*> open_;
    std::vector<OpenExchange*> ended_;
    std::vector<nghttp2_nv> headers_;  // Of the request that begins; kept for its memory.
    std::size_t streams_ = 0;          // That nghttp2 has open, abandoned ones among them.
    std::uint64_t begun_ = 0;
    std::uint64_t pongs_ = 0;
    std::uint64_t batch_ = 0;
    std::size_t fruitless_ = 0;        // Frames since the last that was good for anything ...
    std::size_t fruitless_bytes_ = 0;  // ... and bytes, those of frames that nghttp2 skips too.
    bool settled_ = false;
    bool leaving_ = false;
    bool broken_ = false;
    std::string fault_;
};

}  // namespace fanfare
