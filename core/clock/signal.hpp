#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>

namespace fanfare {

/// Wakes coroutines that wait; the woken then look at their condition again. Nothing is kept for
/// who waits later.
///
/// Threads   one serial executor.
/// Lifetime  its loop outlives it; nobody notifies while the loop ends.
class Signal {
public:
    explicit Signal(const boost::asio::any_io_executor& executor);
    void notify();
    /// Wakes the one that has waited longest.
    void notify_one();
    [[nodiscard]] boost::asio::awaitable<void> wait();

private:
    // Without a place to keep anything: who sends meets somebody who waits, or nobody.
    boost::asio::experimental::channel<void(boost::system::error_code)> channel_;
};

}  // namespace fanfare
