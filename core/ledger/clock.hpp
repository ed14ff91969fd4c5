#pragma once

#include "core/clock/clock.hpp"
#include "core/postgres/connection.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

namespace fanfare::ledger {

/// One look at the clock of the ledger's database.
struct ClockReading {
    TimePoint theirs;
    SteadyTime asked;  // It was read between these.
    SteadyTime answered;
};
/// Not app_now(): what tests move is no fault of a clock.
[[nodiscard]] ClockReading read_clock(postgres::Connection& connection, const Clock& own);

/// Sets right what a clock has written that was ahead and is not any more: waits of chunks go on
/// from now, as long as they were, and leases further ahead than any is end after `lease`.
/// Returns how many rows there were.
std::size_t mend_moments(postgres::Connection& connection, std::chrono::milliseconds lease);

/// The ledger's calendar time on this machine: expiry, quiet hours and texts go by it, as the
/// leases do, whatever the machine's own clock says.
///
/// Time goes on by the monotonic clock from what was learned last. A reading that contradicts it
/// is believed at once where the machine's own calendar moved along (a machine that slept), and
/// otherwise when it has stood for settle_after: a clock that jumps and comes back moves nobody.
/// Until then is_steady() is false, and nothing new should begin.
///
/// Threads   any.
/// Lifetime  the machine's clock outlives it.
class LedgerClock final : public Clock {
public:
    static constexpr std::chrono::seconds skew_max{5};  // Between readings of one clock.
    static constexpr std::chrono::seconds settle_after{60};

    /// Until the first reading it shows the machine's own time.
    explicit LedgerClock(const Clock& own);

    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] SteadyTime steady_now() const noexcept override { return own_.steady_now(); }

    void learn(const ClockReading& reading);

    [[nodiscard]] bool is_steady() const noexcept { return steady_.load(); }
    /// How far the database's clock was ahead of the machine's at the last reading.
    [[nodiscard]] std::chrono::microseconds skew() const noexcept {
        return std::chrono::microseconds{skew_.load()};
    }

private:
    using Offset = std::chrono::microseconds;  // Of the calendar to the monotonic clock.
    [[nodiscard]] Offset own_offset() const noexcept;
    void adopt(Offset offset);

    const Clock& own_;
    std::atomic<std::int64_t> offset_;
    std::atomic<std::int64_t> skew_{0};
    std::atomic<bool> steady_{true};
    std::mutex mutex_;  // Guards what follows.
    bool learned_ = false;
    Offset own_at_adoption_{};
    std::optional<Offset> doubtful_;
    SteadyTime doubtful_since_{};
};

/// What readiness says while a clock is not steady.
inline constexpr const char* clock_jumped =
    "the database's clock has jumped: nothing new is begun before it has stood for a minute";

/// Has `clock` learn, and logs when it begins to doubt or to believe again.
void learn_time(LedgerClock& clock, const ClockReading& reading);

/// Asks the database, and learns: false while the clock is in doubt. For the moment before anything
/// is done that cannot be taken back.
[[nodiscard]] bool knows_the_time(LedgerClock& clock, postgres::Connection& connection,
                                  const Clock& own);

}  // namespace fanfare::ledger
