#pragma once

#include "core/clock/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace fanfare {

class VirtualTime;

/// The one way of coroutines to let time pass. Whose time that is, the executor's context says: the
/// machine's, unless a VirtualTime was put in front of it.
///
/// Bounds    one waiter at a time.
/// Threads   one serial executor.
class Timer {
public:
    explicit Timer(const boost::asio::any_io_executor& executor);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// True when `duration` is over, false when cancel() came first. Cancelling before somebody
    /// waits cancels nothing.
    [[nodiscard]] boost::asio::awaitable<bool> wait(std::chrono::nanoseconds duration);
    void cancel();

private:
    friend class VirtualTime;
    /// Called by the virtual time when it has come.
    void expire();

    boost::asio::steady_timer timer_;  // Under a virtual time it never runs out by itself.
    VirtualTime* virtual_time_;
    bool expired_ = false;
};

/// Waits on the time of the coroutine's executor.
[[nodiscard]] boost::asio::awaitable<void> pause_for(std::chrono::nanoseconds duration);

}  // namespace fanfare
