#pragma once

#include "core/async/wake_signal.hpp"
#include "core/clock/clock.hpp"
#include "core/ledger/clock.hpp"
#include "core/ledger/retention.hpp"
#include "core/observe/seldom.hpp"
#include "core/settings/secret.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace fanfare {

/// Drops what is older than the ledger keeps (core/ledger/retention.hpp). One producer of all does
/// it: whoever holds the lease, which is given back after each round. Small transactions with
/// pauses between them, over a connection of its own that is open as long as there is something to
/// do.
///
/// Nothing is dropped while the database's clock is in doubt, or far from this machine's.
///
/// Stop      stop() asks; join() waits for the transaction at hand.
/// Threads   one of its own.
/// Lifetime  the clock outlives it.
class RetentionKeeper {
public:
    static constexpr std::chrono::minutes interval{15};
    static constexpr std::chrono::seconds lease{60};
    static constexpr std::chrono::milliseconds pause{50};  // Between transactions.
    static constexpr std::chrono::hours skew_max{1};

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
    [[nodiscard]] std::optional<ledger::Dropped> drop();
    [[nodiscard]] bool may_drop(postgres::Connection& ledger);

    Parts parts_;
    ledger::LedgerClock time_;
    WakeSignal waker_;
    Seldom failed_;
    std::thread thread_;
};

}  // namespace fanfare
