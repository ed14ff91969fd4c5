#pragma once

#include "core/clock/clock.hpp"
#include "core/postgres/connection.hpp"

#include <pqxx/field>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::ledger {

/// One look at the clock of the ledger's database.
struct ClockReading {
    TimePoint theirs;
    SteadyTime asked;  // It was read between these.
    SteadyTime answered;
};
/// What a clock shows, as SQL: not app_now(), for what tests move is no fault of a clock.
#define FANFARE_CLOCK "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
/// Of such a column.
[[nodiscard]] TimePoint read_moment(const pqxx::field& field);
[[nodiscard]] ClockReading read_clock(postgres::Connection& connection, const Clock& own);

/// For SQL that goes by the clock of its database: true where that shows what `parameter` says, a
/// moment_parameter() of what whoever asks believes. A clock that has jumped a moment ago shows
/// another time. It is looked at when the statement is asked, whatever lock that waits for.
[[nodiscard]] std::string clock_shows(std::string_view parameter);
/// Nothing: whatever the clock shows is believed.
[[nodiscard]] std::string moment_parameter(const std::optional<TimePoint>& believed);

/// Sets right what a clock has written that was ahead and is not any more: waits of chunks go on
/// from now, as long as they were, leases further ahead than any is end after `lease`, and what was
/// given out while such a clock called it overdue is overdue again when it is due, and not much
/// later than `republish_after`. Nothing by a clock that does not show what is `believed`: it is
/// the one that is wrong. Returns how many rows there were.
std::size_t mend_moments(postgres::Connection& connection, std::chrono::milliseconds lease,
                         std::chrono::milliseconds republish_after,
                         const std::optional<TimePoint>& believed = {});

/// The ledger's calendar time on this machine: expiry, quiet hours and texts go by it, as the
/// leases do, whatever the machine's own clock says.
///
/// Time goes on by the monotonic clock from what was learned last. A reading that contradicts it
/// is believed at once where the machine's own calendar moved along (a machine that slept), and
/// otherwise when it was seen to stand for settle_after: a clock that jumps and comes back moves
/// nobody. What it did between two readings that are far apart nobody saw: of that `seen_max`
/// counts. Until then is_steady() is false, and nothing new should begin.
///
/// Threads   any.
/// Lifetime  the machine's clock outlives it.
class LedgerClock final : public Clock {
public:
    static constexpr std::chrono::seconds skew_max{5};  // Between readings of one clock.
    static constexpr std::chrono::seconds settle_after{60};
    static constexpr std::chrono::seconds seen_max{10};

    /// Until the first reading it shows the machine's own time.
    explicit LedgerClock(const Clock& own);

    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] SteadyTime steady_now() const noexcept override { return own_.steady_now(); }

    void learn(const ClockReading& reading);

    [[nodiscard]] bool is_steady() const noexcept { return steady_.load(); }
    /// False before the first reading: then it shows the machine's own time.
    [[nodiscard]] bool is_known() const noexcept { return known_.load(); }
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
    std::atomic<bool> known_{false};
    std::mutex mutex_;  // Guards what follows.
    Offset own_at_adoption_{};
    std::optional<Offset> doubtful_;
    SteadyTime doubtful_at_{};               // The last reading that showed it ...
    SteadyTime::duration doubtful_stood_{};  // ... and for how long all of them did.
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
