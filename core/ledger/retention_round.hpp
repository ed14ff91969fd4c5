#pragma once

#include "core/async/wake_signal.hpp"
#include "core/ledger/clock.hpp"
#include "core/ledger/retention.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace fanfare::ledger {

/// One round of dropping all that is older than what is kept: the same for the producer that does
/// it by itself and for whoever orders it. Small transactions with pauses between them; one program
/// of all at a time, whoever holds the lease, which is given back at the end.
///
/// Before each transaction the database's clock is asked: nothing is dropped while it is in doubt,
/// or further from this machine's than skew_max. One of the two is wrong then, and a clock that is
/// a year ahead would drop a year.
struct RetentionRound {
    static constexpr const char* lease_name = "retention";
    static constexpr std::chrono::seconds lease{60};
    static constexpr std::chrono::milliseconds pause{50};  // Between transactions.
    static constexpr std::chrono::hours skew_max{1};
    static constexpr int conflicts_max = 10;  // In a row: the round fails then.

    enum class End : std::uint8_t {
        done,            // Nothing is left.
        stopped,         // The waker was.
        somebody_else,   // Another program is at it.
        clock_in_doubt,  // LedgerClock::is_steady() says so.
        clock_far,       // By more than skew_max.
    };
    struct Parts {
        Connection& ledger;
        LedgerClock& time;
        const Clock& clock;
        std::string holder;  // No other program calls itself so.
        std::chrono::days keep{90};
    };

    End end = End::done;
    Dropped dropped;            // Whatever the end was.
    std::size_t leftovers = 0;  // Of drop_leftovers().
};

/// Blocks, and throws what libpqxx throws; what is in use is tried again.
[[nodiscard]] RetentionRound drop_all_old(const RetentionRound::Parts& parts, WakeSignal& waker);

/// Why nothing was dropped, or no more; for done and stopped "".
[[nodiscard]] std::string describe(RetentionRound::End end);

}  // namespace fanfare::ledger
