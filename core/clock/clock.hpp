#pragma once

#include <chrono>

namespace fanfare {

/// Calendar time, for what people and PostgreSQL see.
using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;
/// Monotonic time, for leases, pacing and timeouts.
using SteadyTime = std::chrono::steady_clock::time_point;

/// The only place that reads a clock. Passed in, so that tests own time.
///
/// Threads   const and free of data races.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const noexcept = 0;
    [[nodiscard]] virtual SteadyTime steady_now() const noexcept = 0;
};

/// The machine's own clocks.
[[nodiscard]] const Clock& system_clock() noexcept;

/// A clock that stands still until told.
class ManualClock final : public Clock {
public:
    explicit ManualClock(TimePoint now) : now_{now} {}
    [[nodiscard]] TimePoint now() const noexcept override { return now_; }
    [[nodiscard]] SteadyTime steady_now() const noexcept override { return moment_; }
    void advance(std::chrono::microseconds step) {
        now_ += step;
        moment_ += step;
    }

private:
    TimePoint now_;
    SteadyTime moment_{};
};

}  // namespace fanfare
