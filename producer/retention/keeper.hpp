#pragma once

#include "core/async/wake_signal.hpp"
#include "core/clock/clock.hpp"
#include "core/ledger/retention_round.hpp"
#include "core/observe/seldom.hpp"
#include "core/settings/secret.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace fanfare {

/// Drops what is older than the ledger keeps, round after round
/// (core/ledger/retention_round.hpp), over a connection of its own that is open for a round.
///
/// Stop      stop() asks; join() waits for the transaction at hand.
/// Threads   one of its own.
/// Lifetime  the clock outlives it.
class RetentionKeeper {
public:
    static constexpr std::chrono::minutes interval{15};

    struct Parts {
        Secret ledger_url;
        const Clock& clock;
        std::string holder;  // No other program calls itself so.
        std::chrono::days keep{90};
    };
    explicit RetentionKeeper(Parts parts);
    ~RetentionKeeper();

    void start();
    void stop() { waker_.stop(); }
    void join();

    /// One round, on the calling thread: until nothing is left, or stop(). Nothing where another
    /// producer is at it, or where it failed.
    std::optional<ledger::Dropped> turn();

private:
    Parts parts_;
    ledger::LedgerClock time_;
    WakeSignal waker_;
    Seldom failed_;
    std::thread thread_;
};

}  // namespace fanfare
