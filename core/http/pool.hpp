#pragma once

#include "core/http/connection.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace fanfare {

/// The exchanges with one server: those that wait, those on their way, and the connections.
///
/// Bounds    connections_max connections that take requests, and as many that only end what they
///           began, 16 of them dialled at a time. One more is dialled where no other has room.
///           Where none can be had, who waits is told not_sent; who began after the one that came
///           to nothing is dialled for anew.
/// Threads   one serial executor.
class HttpPool final : public ConnectionOwner, public std::enable_shared_from_this<HttpPool> {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        const HttpOptions& options;
        const Clock& clock;
        std::function<SSL_CTX*()> tls;  // Null: the certificates cannot be read.
        std::function<void()> kick;     // Has turn() called soon.
        std::shared_ptr<HttpConnection> (*connect)(const HttpConnection::Parts& parts);
    };
    HttpPool(HttpOrigin origin, Parts parts);

    [[nodiscard]] const HttpOrigin& origin() const noexcept { return origin_; }
    void add(const HttpRequest& request, std::string_view path, HttpClient::Done done);
    /// Lets connections write and, where they have no room, dials another.
    void turn();
    /// Ends what took too long.
    void check_time();
    /// Ends everything.
    void close();

    [[nodiscard]] std::size_t in_flight() const noexcept {
        return waiting_.size() + running_.size();
    }
    /// When the first of them will have taken too long; only with any in flight.
    [[nodiscard]] SteadyTime first_deadline() const;

    [[nodiscard]] bool has_waiting() const noexcept override { return !waiting_.empty(); }
    [[nodiscard]] OpenExchange* next(HttpConnection& connection) override;
    void moved(std::span<OpenExchange* const> ended) override;
    void gone(HttpConnection& connection, std::span<OpenExchange* const> ended) override;

private:
    using Exchanges = std::list<OpenExchange>;

    [[nodiscard]] bool wants_connection() const;
    void dial();
    /// Those that began until then.
    void fail_waiting(std::string_view fault, SteadyTime until);
    void expire(OpenExchange& exchange);
    void complete(OpenExchange& exchange);
    void complete_all(std::span<OpenExchange* const> ended);
    static void place(OpenExchange& exchange, Exchanges& list);

    HttpOrigin origin_;
    Parts parts_;
    // Both in the order in which they began.
    Exchanges waiting_;
    Exchanges running_;
    Exchanges telling_;  // Whose answer is being told just now.
    Exchanges spare_;    // Kept for their memory.
    std::vector<std::shared_ptr<HttpConnection>> connections_;
    std::vector<std::shared_ptr<HttpConnection>> turning_;  // Room for those of one turn.
    SteadyTime rest_until_{};  // After a connection that came to nothing, if there are others.
    bool closed_ = false;
};

}  // namespace fanfare
