#pragma once

#include "sim/http/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <thread>
#include <vector>

namespace fanfare::sim {

/// Listens and serves on its own threads, each with an event loop of its own.
///
/// Bounds    ConnectionRules; a connection beyond connections_max is closed at once.
/// Stop      stop(), from any thread; then run() returns. Open connections are cut.
/// Threads   run() uses the calling thread as the first one.
/// Lifetime  handlers and rules outlive it.
class Server {
public:
    Server(unsigned threads, const Clock& clock, ConnectionRules rules,
           const std::string& address = "127.0.0.1");
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Begins to listen on 127.0.0.1 and returns the port in use. `tls` may be null.
    /// Throws boost::system::system_error when the port is taken.
    std::uint16_t listen(std::uint16_t port, Handler& handler, boost::asio::ssl::context* tls);

    void run();
    void stop();
    /// The first loop, for signals.
    [[nodiscard]] boost::asio::io_context& loop();

private:
    struct Loop {
        ConnectionSet connections;  // Before the context: its connections leave it last.
        boost::asio::io_context context{1};
        boost::asio::steady_timer sweep{context};
    };
    struct Listener {
        boost::asio::ip::tcp::acceptor acceptor;
        Handler* handler;
        boost::asio::ssl::context* tls;
        std::size_t next_loop = 0;
    };

    void accept(Listener& listener);
    void serve(Listener& listener, Loop& loop, boost::asio::ip::tcp::socket socket);
    void sweep(Loop& loop);

    const Clock& clock_;
    ConnectionRules rules_;
    boost::asio::ip::address address_;
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace fanfare::sim
