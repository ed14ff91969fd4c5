#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace fanfare::sim {

/// What happened at one provider, or to one job at it. Messages count recipients, the
/// rest counts requests.
struct Tally {
    std::uint64_t requests = 0;
    std::uint64_t accepted = 0;    // Messages, repeats included.
    std::uint64_t people = 0;      // Distinct (job, address).
    std::uint64_t duplicated = 0;  // Of those, how many got it more than once.
    std::uint64_t refused = 0;
    std::uint64_t throttled = 0;   // 429 of any cause.
    std::uint64_t violations = 0;  // Of those, because of a limit set here.
    std::uint64_t errors = 0;      // 5xx
    std::uint64_t lost_before = 0;
    std::uint64_t lost_after = 0;
    std::uint64_t blackholed = 0;
    std::uint64_t malformed = 0;
    std::uint64_t errors_after = 0;  // 5xx of a gateway, though it was accepted.
    std::uint64_t bad_requests = 0;
    std::uint64_t dry_runs = 0;  // Accepted but nothing to deliver: validate_only, test mode.
    std::uint64_t leaks = 0;     // Messages that showed one recipient to another.
    std::uint64_t unfilled = 0;  // Messages in a batch without variables of their own.
    std::uint64_t largest_batch = 0;
    std::int64_t first_accept_ns = 0;
    std::int64_t last_accept_ns = 0;

    /// accepted - people: what was sent once too often.
    [[nodiscard]] std::uint64_t extra() const noexcept { return accepted - people; }
};

/// Highest count within any second, to a millisecond: never too high, and too low by less
/// than what arrived within one millisecond.
class PeakRate {
public:
    void add(std::int64_t now_ms, std::uint32_t count) noexcept {
        if (now_ms > last_ms_) {
            const auto steps = std::min<std::int64_t>(now_ms - last_ms_, cells);
            for (std::int64_t i = 1; i <= steps; ++i) {
                auto& cell = cells_[static_cast<std::size_t>((now_ms - steps + i) % cells)];
                sum_ -= cell;
                cell = 0;
            }
            last_ms_ = now_ms;
        }
        cells_[static_cast<std::size_t>(last_ms_ % cells)] += count;
        sum_ += count;
        peak_ = std::max(peak_, sum_);
    }
    [[nodiscard]] std::uint64_t peak() const noexcept { return peak_; }

private:
    static constexpr std::int64_t cells = 1000;
    std::array<std::uint32_t, cells> cells_{};
    std::uint64_t sum_ = 0;
    std::uint64_t peak_ = 0;
    std::int64_t last_ms_ = 0;
};

}  // namespace fanfare::sim
