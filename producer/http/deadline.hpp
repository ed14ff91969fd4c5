#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <set>

namespace fanfare {

/// Cuts a connection off when its time is over, and lets the server end those that idle.
///
/// Cutting shuts the socket down rather than cancelling: a read that begins a moment later
/// ends as well. With only its receiving half shut, an answer can still leave.
///
/// Threads   the socket's executor.
/// Lifetime  the socket and the set outlive it.
class Deadline {
public:
    using Socket = boost::asio::ip::tcp::socket;

    Deadline(Socket& socket, std::set<Deadline*>& open);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// From now on; replaces what was armed before.
    void arm(std::chrono::milliseconds left, Socket::shutdown_type half);
    void cut(Socket::shutdown_type half);

    [[nodiscard]] bool passed() const noexcept { return state_->passed; }
    /// Between requests: may be cut without losing anything.
    void set_idle(bool idle) noexcept { idle_ = idle; }
    [[nodiscard]] bool is_idle() const noexcept { return idle_; }

private:
    /// What a timer's handler may look at when the connection is gone.
    struct State {
        Deadline* owner;
        std::uint64_t armed = 0;
        bool passed = false;
    };

    Socket& socket_;
    std::set<Deadline*>& open_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<State> state_;
    bool idle_ = false;
};

}  // namespace fanfare
