#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace fanfare {

/// Lets one thread sleep until it is rung for, or time is up. A ring before the wait counts.
///
/// Threads   ring() and stop() from any; wait() on one.
class Alarm {
public:
    void ring() {
        const std::lock_guard guard{mutex_};
        rung_ = true;
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
    /// True when rung for, false when `most` has passed or everything stops.
    bool wait(std::chrono::nanoseconds most) {
        std::unique_lock lock{mutex_};
        waiting_.wait_for(lock, most, [this] { return rung_ || stopped_; });
        const bool rung = rung_;
        rung_ = false;
        return rung;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable waiting_;
    bool rung_ = false;
    bool stopped_ = false;
};

}  // namespace fanfare
