#pragma once

#include "core/clock/clock.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace fanfare {

/// A warning about what may happen with every record: logged at most once a minute, with how often
/// it was.
///
/// The first is logged at once; what is counted after it is told with the next one that comes
/// after a minute, or by settle().
///
/// Bounds    one line per `interval`.
/// Threads   any.
/// Lifetime  the clock outlives it.
class Seldom {
public:
    /// `what` completes "12 more: ...".
    Seldom(std::string what, const Clock& clock,
           std::chrono::seconds interval = std::chrono::minutes{1});

    /// It happened once more; `sentence` tells this one.
    void warn(std::string_view sentence);

    /// Tells what was counted and not told, once its minute is over; with `at_once`, whatever there
    /// is. For whoever turns anyway, and for the end.
    void settle(bool at_once = false);

private:
    [[nodiscard]] bool is_due() const;

    std::string what_;
    const Clock& clock_;
    std::chrono::seconds interval_;
    std::mutex mutex_;
    bool any_ = false;  // Something was logged, at `told_`.
    SteadyTime told_{};
    std::uint64_t untold_ = 0;
};

}  // namespace fanfare
