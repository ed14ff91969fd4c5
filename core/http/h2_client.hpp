#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace fanfare {

/// A client that speaks HTTP/2 only, on nghttp2: many streams over few connections, the frames of
/// all in one write. What HttpClient promises holds; decisions/0018 tells when which is used.
///
/// https with ALPN h2 or, where `options.allow_http`, http to loopback without an upgrade
/// ("prior knowledge"). Requests need not ask for HTTP/2; mails are not_sent. No request is ever
/// sent again, not even one that the server refused: that is the caller's to decide.
///
/// Bounds    connections_max and streams_max of each server, or fewer streams if that says so.
/// Lifetime  `clock` outlives it.
[[nodiscard]] std::unique_ptr<HttpClient> make_h2_client(
    const boost::asio::any_io_executor& executor, const HttpOptions& options, const Clock& clock);

}  // namespace fanfare
