#pragma once

#include "core/clock/virtual_time.hpp"

#include <chrono>

namespace fanfare::simulation {

/// The clocks of one worker's machine: its calendar may be off, what counts seconds is not.
class MachineClock final : public Clock {
public:
    MachineClock(const VirtualTime& truth, std::chrono::milliseconds off)
        : truth_{truth}, off_{off} {}
    [[nodiscard]] TimePoint now() const noexcept override { return truth_.now() + off_; }
    [[nodiscard]] SteadyTime steady_now() const noexcept override { return truth_.steady_now(); }
    void jump(std::chrono::milliseconds by) { off_ += by; }

private:
    const VirtualTime& truth_;
    std::chrono::milliseconds off_;
};

/// Planted: shows what the ledger's clock shows at this moment, whatever that is.
template <class Store>
class BelievedClock final : public Clock {
public:
    BelievedClock(const VirtualTime& truth, const Store& store) : truth_{truth}, store_{store} {}
    [[nodiscard]] TimePoint now() const noexcept override { return store_.calendar_now(); }
    [[nodiscard]] SteadyTime steady_now() const noexcept override { return truth_.steady_now(); }

private:
    const VirtualTime& truth_;
    const Store& store_;
};

}  // namespace fanfare::simulation
