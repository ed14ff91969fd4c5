#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>

namespace fanfare {

/// What a Timer is to coroutines, to callbacks of real sockets: those know only the machine's time.
///
/// Threads   one serial executor.
class Alarm {
public:
    explicit Alarm(const boost::asio::any_io_executor& executor) : timer_{executor} {}

    /// Calls `then` when `duration` is over, and forgets an earlier call. One that is over already
    /// may still call after cancel(), and after the Alarm is gone.
    void call(std::chrono::nanoseconds duration, std::function<void()> then);
    void cancel() { timer_.cancel(); }

private:
    boost::asio::steady_timer timer_;
};

}  // namespace fanfare
