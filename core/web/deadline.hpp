#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace fanfare {

/// Cuts a connection off when its time is over.
///
/// Cutting shuts the socket down rather than cancelling: a read that begins a moment later
/// ends as well. With only its receiving half shut, an answer can still leave.
///
/// Threads   the socket's executor.
/// Lifetime  the socket outlives it.
class Deadline {
public:
    using Socket = boost::asio::ip::tcp::socket;

    explicit Deadline(Socket& socket);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// From now on; replaces what was armed before.
    void arm(std::chrono::milliseconds left, Socket::shutdown_type half);
    void cut(Socket::shutdown_type half);

    /// Lets time pass, less of it when the connection is cut.
    [[nodiscard]] boost::asio::awaitable<void> pause(std::chrono::milliseconds duration);

    [[nodiscard]] bool passed() const noexcept { return state_->passed; }

private:
    /// What a timer's handler may look at when the connection is gone.
    struct State {
        Deadline* owner;
        std::uint64_t armed = 0;
        bool passed = false;
    };

    Socket& socket_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer pause_;
    std::shared_ptr<State> state_;
    bool is_cut_ = false;
};

/// The end of a connection whose last answer may still be on its way: closing while bytes arrive
/// would reset it, and lose the answer.
///
/// Bounds    2 s, 1 MiB.
[[nodiscard]] boost::asio::awaitable<void> linger(Deadline::Socket& socket, Deadline& deadline);

}  // namespace fanfare
