#pragma once

#include "core/clock/clock.hpp"

#include <atomic>
#include <chrono>

namespace fanfare::testing {

/// The machine's clock, as much ahead of the database's as a test says.
class ShiftedClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override {
        return system_clock().now() + shift.load();
    }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return system_clock().steady_now() + shift.load();
    }
    std::atomic<std::chrono::seconds> shift{std::chrono::seconds{0}};
};

}  // namespace fanfare::testing
