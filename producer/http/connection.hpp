#pragma once

#include "core/clock/clock.hpp"
#include "core/settings/settings.hpp"
#include "core/web/seats.hpp"
#include "producer/http/body_room.hpp"
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
    BodyRoom room_of_known;                    // For bodies of callers whom a gate knows.
    BodyRoom room_of_strangers;                // And of all others.
    bool stopping = false;
};

/// Speaks HTTP/1.1 on one connection until it ends: requests one after the other, an answer to
/// each, whatever the bytes.
///
/// Bounds    those of read_head() and BodyReader; body_max of body, and those of the rooms of all
///           bodies together; request_timeout for a request to arrive and for its answer to
///           leave; 60 s idle.
/// Lifetime  the context outlives the await.
[[nodiscard]] boost::asio::awaitable<void> serve_connection(boost::asio::ip::tcp::socket socket,
                                                            ConnectionContext& context);

}  // namespace fanfare
