#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace fanfare {

/// What the rules of waiting may look at.
struct WakeSituation {
    std::optional<std::chrono::microseconds> next_due_in;  // Nothing: none is known.
    std::chrono::microseconds poll_interval{0};            // Never longer than this ...
    std::chrono::microseconds renew_in{0};                 // ... nor than this, if not 0.
    bool claimed_any = false;    // The last turn found work: there may be more.
    std::uint32_t failures = 0;  // Turns that failed in a row.
};

/// How long the publisher may sleep, unless somebody wakes it.
///
/// Until the next notification is due, so that it goes out within milliseconds; never so
/// short that a row that somebody else is just claiming makes it spin; after failures longer
/// and longer.
[[nodiscard]] std::chrono::microseconds wait_before_next_turn(const WakeSituation& situation);

/// How long to wait before a due query is run again.
[[nodiscard]] std::chrono::microseconds wait_before_next_poll(
    std::chrono::microseconds poll_interval, std::uint32_t failures);

}  // namespace fanfare
