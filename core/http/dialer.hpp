#pragma once

#include "core/clock/alarm.hpp"
#include "core/http/lookup.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// One TCP connection to a host: its addresses in turn, IPv6 and IPv4 by turns, each with a share
/// of the time.
///
/// Stop      cancel(), or the time is over; `done` is called once, unless cancel() came first.
/// Threads   one serial executor.
class Dialer : public std::enable_shared_from_this<Dialer> {
public:
    struct Target {
        std::string host;
        std::string port;
        bool loopback_only = false;
    };
    /// A socket, or a fault in words.
    using Done = std::function<void(boost::asio::ip::tcp::socket*, const std::string& fault)>;

    Dialer(const boost::asio::any_io_executor& executor, Target target,
           std::chrono::nanoseconds connect_max, Done done);

    void begin();
    void cancel();

private:
    using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

    void found(Lookup::Answer answer);
    void try_next();
    void end(boost::asio::ip::tcp::socket* socket);

    boost::asio::any_io_executor executor_;
    Target target_;
    std::chrono::nanoseconds connect_max_;
    Done done_;
    Lookup lookup_;
    boost::asio::ip::tcp::socket socket_;
    Alarm alarm_;
    Endpoints endpoints_;
    std::size_t next_ = 0;
    std::string fault_;
};

}  // namespace fanfare
