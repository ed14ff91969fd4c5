#pragma once

#include "core/clock/clock.hpp"
#include "core/clock/signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

namespace fanfare {

class VirtualTime;

/// When a timer is due, and the order of calls among those that are due together.
using TurnInTime = std::pair<SteadyTime, std::uint64_t>;

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
    /// The machine's; nothing under a virtual time.
    [[nodiscard]] std::optional<SteadyTime> now() const;

private:
    friend class VirtualTime;
    /// Called by the virtual time when it has come.
    void expire();

    boost::asio::any_io_executor executor_;
    VirtualTime* virtual_time_;
    // Under a virtual time a Signal, and its turn while somebody waits; else the machine's timer.
    std::variant<std::monostate, boost::asio::steady_timer, Signal> waits_;
    std::optional<TurnInTime> turn_;
    bool expired_ = false;
};

/// Waits on the time of the coroutine's executor.
[[nodiscard]] boost::asio::awaitable<void> pause_for(std::chrono::nanoseconds duration);

/// The same for about `interval`, so that whatever looks at something again and again wakes its
/// program together, and not each at a moment of its own: half as long at least and half as long
/// again at most. Under a virtual time it is pause_for().
[[nodiscard]] boost::asio::awaitable<void> pause_to_beat(std::chrono::nanoseconds interval);

/// How long that is. `phase`: of the program, so that those of one machine do not ask together.
/// Pure.
[[nodiscard]] std::chrono::nanoseconds until_beat(SteadyTime now, std::chrono::nanoseconds interval,
                                                  std::chrono::nanoseconds phase);

}  // namespace fanfare
