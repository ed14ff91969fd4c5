#pragma once

#include "core/clock/signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>

namespace fanfare {

/// Owns the coroutines that run beside their owner, so that none is ever detached.
///
/// The only place of the service that calls co_spawn (main() aside). The owner awaits
/// join() before it lets go of anything the tasks look at.
///
/// Threads   spawn() and join() on `executor`, which must be serial.
class TaskGroup {
public:
    explicit TaskGroup(boost::asio::any_io_executor executor);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();

    /// A task that throws ends the process: faults travel in values, so this is a bug.
    /// Pass a call, not a lambda: arguments are kept in the coroutine, captures are not.
    void spawn(boost::asio::awaitable<void> task);

    /// Waits until every task is done.
    [[nodiscard]] boost::asio::awaitable<void> join();

    [[nodiscard]] std::size_t running() const noexcept { return running_; }

private:
    boost::asio::any_io_executor executor_;
    Signal idle_;
    std::size_t running_ = 0;
};

}  // namespace fanfare
