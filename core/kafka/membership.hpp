#pragma once

#include "core/clock/clock.hpp"

#include <atomic>
#include <chrono>

namespace fanfare::kafka {

/// Whether a group knows a consumer. Whenever another member comes or goes all are sent out and
/// join anew, which takes some seconds: a rebalance alone is no trouble.
///
/// Threads   set() on one thread at a time; the others from any.
class Membership {
public:
    explicit Membership(const Clock& clock) : clock_{clock} {}

    void set(bool joined) {
        if (joined_ && !joined) left_ = clock_.steady_now();
        if (joined) has_joined_ = true;
        joined_ = joined;
    }

    [[nodiscard]] bool is_member() const noexcept { return joined_; }
    /// Is one, or was one no longer than `grace` ago.
    [[nodiscard]] bool was_member_within(std::chrono::nanoseconds grace) const {
        return joined_ || (has_joined_ && clock_.steady_now() - left_.load() <= grace);
    }

private:
    const Clock& clock_;
    std::atomic<SteadyTime> left_{SteadyTime{}};
    std::atomic<bool> has_joined_{false};
    std::atomic<bool> joined_{false};
};

}  // namespace fanfare::kafka
