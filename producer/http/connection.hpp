#pragma once

#include "core/clock/clock.hpp"
#include "core/settings/settings.hpp"
#include "core/web/seats.hpp"
#include "producer/http/probe.hpp"
#include "producer/http/router.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

namespace fanfare {

/// What all connections of one server share.
struct ConnectionContext {
    const ServerSettings& settings;
    const Clock& clock;
    HttpProbe probe;
    Seats seats;
    Router router{};
    boost::asio::ssl::context* tls = nullptr;  // Nothing: plain HTTP.
    std::size_t body_bytes = 0;                // Of all requests together.
    bool stopping = false;
};

/// Speaks HTTP/1.1 on one connection until it ends: requests one after the other, an answer to
/// each, whatever the bytes.
///
/// Bounds    those of read_head() and BodyReader; body_max of body, and 32 MiB of all connections
///           together, of which half is for callers who came through a gate; request_timeout for a
///           request to arrive and for its answer to leave; 60 s idle.
/// Lifetime  the context outlives the await.
[[nodiscard]] boost::asio::awaitable<void> serve_connection(boost::asio::ip::tcp::socket socket,
                                                            ConnectionContext& context);

}  // namespace fanfare
