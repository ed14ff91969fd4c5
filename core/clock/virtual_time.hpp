#pragma once

#include "core/clock/clock.hpp"
#include "core/clock/timer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

namespace fanfare {

/// Time that passes only when nothing else is left to do: ten minutes of pauses, timeouts and
/// leases run in milliseconds, and the same way each time.
///
///     VirtualTime time{begins};
///     asio::io_context loop{1};
///     time.attach(loop);
///     ... what runs on `loop` gets `time` as its Clock ...
///     time.run_for(10min);
///
/// Timers that are due together run in the order in which they were set. What waits for threads or
/// sockets is not seen: then nothing is ready, and time moves on.
///
/// Threads   one, which runs all loops.
/// Lifetime  outlives the loops; one that ends before it is detached first. What a loop had
///           suspended ends with it, as if its program had been killed.
class VirtualTime final : public Clock {
public:
    explicit VirtualTime(TimePoint begins) : begins_{begins} {}
    VirtualTime(const VirtualTime&) = delete;
    VirtualTime& operator=(const VirtualTime&) = delete;

    /// From now on the timers that are made on `loop` wait for this.
    void attach(boost::asio::io_context& loop);
    /// It never runs again: nothing of it waits any more. Before its loop ends.
    void detach(boost::asio::io_context& loop);
    /// It stands still until thaw(), while time goes on: its timers are late then.
    void freeze(boost::asio::io_context& loop);
    void thaw(boost::asio::io_context& loop);

    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] SteadyTime steady_now() const noexcept override { return now_; }

    /// Runs what is ready and, whenever nothing is, moves to the next timer that is due; ends
    /// `duration` from now.
    void run_for(std::chrono::nanoseconds duration);
    /// Runs what is ready now.
    void settle();
    /// One step of that: runs one handler that is ready or, where none is, moves to the next timer
    /// that is due by `end`. False where there is neither. Between two steps a program may die.
    bool step(SteadyTime end);
    /// Time passes and nothing runs: as if the program had stood still.
    void stand_still(std::chrono::nanoseconds duration) { now_ += duration; }
    /// How many timers wait.
    [[nodiscard]] std::size_t waiting() const noexcept { return due_.size(); }

private:
    friend class Timer;
    /// Nothing where the executor's time is the machine's.
    [[nodiscard]] static VirtualTime* find(const boost::asio::any_io_executor& executor);
    void call(Timer& timer, std::chrono::nanoseconds after);
    void forget(Timer& timer);
    /// Moves to the next timer that is due by `end`; false where there is none.
    bool move_on(SteadyTime end);

    TimePoint begins_;
    SteadyTime now_{};
    std::vector<boost::asio::io_context*> loops_;  // In the order in which they run.
    struct Waiting {
        Timer* timer;
        const boost::asio::execution_context* loop;
    };
    /// One handler that is ready, of the first loop that has any.
    bool run_one();

    std::uint64_t calls_ = 0;

    std::map<TurnInTime, Waiting> due_;
};

}  // namespace fanfare
