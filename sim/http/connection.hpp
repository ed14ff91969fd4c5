#pragma once

#include "core/clock/clock.hpp"
#include "sim/http/codec.hpp"
#include "sim/http/handler.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <memory>
#include <unordered_set>

namespace fanfare::sim {

/// What every connection of a server thread shares.
struct ConnectionRules {
    HttpBounds bounds;
    std::chrono::seconds request_timeout{30};  // From its first byte to its last.
    std::chrono::seconds idle_timeout{90};
    std::chrono::seconds silence_max{600};  // An exchange nobody answers.
    std::size_t connections_max = 10'000;   // Of one thread.
};

/// One connection, seen from its thread.
class Connection {
public:
    virtual ~Connection() = default;
    virtual void start() = 0;
    /// Called about once a second: closes itself when too slow or idle for too long.
    virtual void check_time(SteadyTime now) = 0;
};

/// The connections of one thread. Connections enter and leave by themselves.
using ConnectionSet = std::unordered_set<Connection*>;

struct ConnectionPorts {
    Handler& handler;
    const Clock& clock;
    const ConnectionRules& rules;
    ConnectionSet& set;
};

[[nodiscard]] std::shared_ptr<Connection> make_plain_connection(boost::asio::ip::tcp::socket socket,
                                                                const ConnectionPorts& ports);
[[nodiscard]] std::shared_ptr<Connection> make_tls_connection(boost::asio::ip::tcp::socket socket,
                                                              boost::asio::ssl::context& tls,
                                                              const ConnectionPorts& ports);

}  // namespace fanfare::sim
