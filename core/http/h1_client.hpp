#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace fanfare {

/// A client that speaks HTTP/1.1 only, on Asio's sockets with Boost.Beast's parser. What HttpClient
/// promises holds; decisions/0020 tells when it is used.
///
/// https or, where `options.allow_http`, http to loopback. Mails are not_sent. No request is ever
/// sent again. Answers have to be HTTP/1.0 or 1.1 as RFC 9112 has it; of others nobody knows more
/// than that they are in doubt.
///
/// Bounds    connections_max of each server, one request at a time on each; who waits longer than
///           the timeout for one is not_sent.
/// Lifetime  `clock` outlives it.
[[nodiscard]] std::unique_ptr<HttpClient> make_h1_client(
    const boost::asio::any_io_executor& executor, const HttpOptions& options, const Clock& clock);

}  // namespace fanfare
