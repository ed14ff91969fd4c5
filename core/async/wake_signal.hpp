#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace fanfare {

/// Lets one thread sleep until it is notified, or time is up. A notify() before the wait counts.
///
/// Threads   notify() and stop() from any; wait() on one.
class WakeSignal {
public:
    void notify() {
        const std::lock_guard guard{mutex_};
        notified_ = true;
        waiting_.notify_all();
    }
    /// From now on every wait is over at once.
    void stop() {
        const std::lock_guard guard{mutex_};
        stopped_ = true;
        waiting_.notify_all();
    }
    [[nodiscard]] bool stopped() const {
        const std::lock_guard guard{mutex_};
        return stopped_;
    }
    /// True when notified, false when `most` has passed or everything stops.
    bool wait(std::chrono::nanoseconds most) {
        std::unique_lock lock{mutex_};
        waiting_.wait_for(lock, most, [this] { return notified_ || stopped_; });
        const bool notified = notified_;
        notified_ = false;
        return notified;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable waiting_;
    bool notified_ = false;
    bool stopped_ = false;
};

}  // namespace fanfare
