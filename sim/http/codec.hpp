#pragma once

#include "sim/http/message.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// Names one exchange of a connection: always 1 in HTTP/1.1, the stream id in HTTP/2.
using ExchangeId = std::int32_t;

/// What a codec tells its connection.
class CodecEvents {
public:
    virtual ~CodecEvents() = default;
    /// A complete request. It stays valid until answered or abandoned; both may happen
    /// within this call.
    virtual void on_request(ExchangeId id, const Request& request) = 0;
    /// The other side gave the exchange up (HTTP/2 RST_STREAM).
    virtual void on_cancelled(ExchangeId id) = 0;
};

/// Bytes in, requests out; answers in, bytes out. Performs no I/O.
///
/// Bounds    HttpBounds: larger requests are answered 413 or 431 and end the connection.
/// Threads   one at a time.
/// Lifetime  the CodecEvents given at construction outlives it.
class Codec {
public:
    virtual ~Codec() = default;
    /// Takes what was read.
    virtual void feed(std::string_view bytes) = 0;
    /// Answers an exchange; takes what it needs out of `answer`. Unknown ids are ignored.
    virtual void answer(ExchangeId id, Answer& answer) = 0;
    /// Ends an exchange without an answer.
    virtual void abandon(ExchangeId id) = 0;
    /// The request of an open exchange (parked ones are looked at again); null when gone.
    [[nodiscard]] virtual const Request* request(ExchangeId id) = 0;
    /// Appends what is ready to be written.
    virtual void flush(std::string& out) = 0;
    /// The connection is to be closed once everything flushed has been written.
    [[nodiscard]] virtual bool finished() const = 0;
    /// No more input wanted for now.
    [[nodiscard]] virtual bool full() const = 0;
    /// A request is half read: a slow client is not an idle one.
    [[nodiscard]] virtual bool reading() const = 0;
};

[[nodiscard]] std::unique_ptr<Codec> make_http1_codec(CodecEvents& events,
                                                      const HttpBounds& bounds);
[[nodiscard]] std::unique_ptr<Codec> make_http2_codec(CodecEvents& events,
                                                      const HttpBounds& bounds);

}  // namespace fanfare::sim
