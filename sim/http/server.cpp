#include "sim/http/server.hpp"

#include <boost/asio/post.hpp>

#include <chrono>

namespace fanfare::sim {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds sweep_interval{1};
constexpr std::chrono::milliseconds accept_pause{50};  // When out of file descriptors.

}  // namespace

Server::Server(unsigned threads, const Clock& clock, ConnectionRules rules,
               const std::string& address)
    : clock_{clock}, rules_{rules}, address_{asio::ip::make_address(address)} {
    for (unsigned i = 0; i < std::max(threads, 1U); ++i) {
        loops_.push_back(std::make_unique<Loop>());
        sweep(*loops_.back());
    }
}

Server::~Server() {
    stop();
    listeners_.clear();
    // Connections live in the handlers their loop still holds; they go with it.
}

std::uint16_t Server::listen(std::uint16_t port, Handler& handler, asio::ssl::context* tls) {
    const tcp::endpoint endpoint{address_, port};
    listeners_.push_back(std::make_unique<Listener>(
        Listener{tcp::acceptor{loops_.front()->context, endpoint}, &handler, tls}));
    auto& listener = *listeners_.back();
    accept(listener);
    return listener.acceptor.local_endpoint().port();
}

void Server::accept(Listener& listener) {
    auto& loop = *loops_[listener.next_loop++ % loops_.size()];
    listener.acceptor.async_accept(loop.context, [this, &listener, &loop](error_code error,
                                                                          tcp::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (error) {
            auto timer =
                std::make_shared<asio::steady_timer>(loops_.front()->context, accept_pause);
            return timer->async_wait([this, &listener, timer](error_code stopped) {
                if (!stopped) accept(listener);
            });
        }
        asio::post(loop.context, [this, &listener, &loop, socket = std::move(socket)]() mutable {
            serve(listener, loop, std::move(socket));
        });
        accept(listener);
    });
}

void Server::serve(Listener& listener, Loop& loop, tcp::socket socket) {
    if (loop.connections.size() >= rules_.connections_max) return;
    error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
    const ConnectionPorts ports{*listener.handler, clock_, rules_, loop.connections};
    const auto connection = listener.tls == nullptr
                                ? make_plain_connection(std::move(socket), ports)
                                : make_tls_connection(std::move(socket), *listener.tls, ports);
    connection->start();
}

void Server::sweep(Loop& loop) {
    loop.sweep.expires_after(sweep_interval);
    loop.sweep.async_wait([this, &loop](error_code error) {
        if (error) return;
        const auto now = clock_.steady_now();
        for (auto* connection : loop.connections) connection->check_time(now);
        sweep(loop);
    });
}

void Server::run() {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < loops_.size(); ++i) {
        others.emplace_back([&context = loops_[i]->context] { context.run(); });
    }
    loops_.front()->context.run();
}

void Server::stop() {
    for (auto& loop : loops_) loop->context.stop();
}

asio::io_context& Server::loop() { return loops_.front()->context; }

}  // namespace fanfare::sim
