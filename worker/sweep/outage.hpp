#pragma once

#include "core/clock/clock.hpp"

#include <optional>

namespace fanfare {

/// How long chunks are left to those who hold them after the ledger was away: as long as it was,
/// at most a lease. Their leases ran out meanwhile, and what became of them could not be written.
/// Of an outage that was there before us nobody knows how long it lasted: that is a lease. Where we
/// saw none, one may just be over: those who live try to record every other second.
///
/// Threads   one serial executor.
class Outage {
public:
    explicit Outage(std::chrono::milliseconds lease) : lease_{lease} {}

    /// The ledger was asked at `asked` and answered at `now`, or did not.
    void answered(SteadyTime asked, SteadyTime now);
    void failed(SteadyTime asked);

    [[nodiscard]] bool is_over(SteadyTime now) const;

private:
    std::chrono::milliseconds lease_;
    bool first_ = true;                // It has never answered us.
    std::optional<SteadyTime> since_;  // The first question without an answer.
    std::optional<SteadyTime> calm_until_;
};

}  // namespace fanfare
