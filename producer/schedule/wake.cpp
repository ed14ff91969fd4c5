#include "producer/schedule/wake.hpp"

#include <algorithm>

namespace fanfare {
namespace {

using std::chrono::microseconds;
constexpr microseconds contended_wait{20'000};
constexpr microseconds failure_wait_first{100'000};
constexpr microseconds failure_wait_max{10'000'000};

/// 1, 2, 4 ... times `first`, at most `max`.
microseconds doubled(microseconds first, std::uint32_t times, microseconds max) {
    return std::min(max, first * (1U << std::min(times, 16U)));
}

}  // namespace

microseconds wait_before_next_turn(const WakeSituation& situation) {
    if (situation.failures > 0) {
        return doubled(failure_wait_first, situation.failures - 1, failure_wait_max);
    }
    if (situation.claimed_any) return microseconds{0};
    auto wait = situation.poll_interval;
    if (situation.renew_in > microseconds{0}) wait = std::min(wait, situation.renew_in);
    if (situation.next_due_in) {
        // Due, and yet not claimed: another producer has its row locked this very moment.
        const bool contended = *situation.next_due_in <= microseconds{0};
        wait = std::min(wait, contended ? contended_wait : *situation.next_due_in);
    }
    return wait;
}

microseconds wait_before_next_poll(microseconds poll_interval, std::uint32_t failures) {
    return doubled(poll_interval, failures, std::max(poll_interval, failure_wait_max));
}

}  // namespace fanfare
