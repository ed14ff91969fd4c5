#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

namespace fanfare {

/// What failed again and again: said the first time, and then ever more rarely, so that a long
/// outage does not fill the disk.
///
/// A database that was away for a moment takes nobody out of service; any other failure does at
/// once, and so does an outage that outlasts the grace.
///
/// Threads   one tells what failed, any may ask.
class Failures {
public:
    explicit Failures(const Clock& clock) : clock_{clock} {}

    void failed(const Failure& failure);
    void succeeded();

    /// In a row; 0 after a success.
    [[nodiscard]] std::uint32_t times() const noexcept { return times_.load(); }
    [[nodiscard]] bool is_trouble() const;

private:
    const Clock& clock_;
    std::atomic<std::uint32_t> times_{0};
    mutable std::mutex mutex_;
    std::optional<SteadyTime> since_;
    bool is_outage_ = true;  // Nothing but a database that is away.
};

}  // namespace fanfare
