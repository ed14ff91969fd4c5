#pragma once

#include "worker/probes/probes.hpp"
#include "worker/sweep/ledger_time.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace fanfare {

/// Learns what time it is in the ledger, each second. Before it is known, and while its clock is in
/// doubt, nothing new is begun: what would be settled as expired, or sent too late, could not be
/// taken back. What a clock has written that was ahead is set right each half minute.
///
/// Stop      stop(), then await run().
/// Threads   one serial executor.
class TimeWatch {
public:
    struct Parts {
        LedgerTime& store;
        ledger::LedgerClock& clock;
        WorkerProbe& probe;
        std::function<void(bool held)> hold;  // Of all that is new.
        std::chrono::milliseconds lease;
        std::chrono::milliseconds republish_after;
    };
    explicit TimeWatch(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

    /// Reads once. Before anything else begins.
    [[nodiscard]] boost::asio::awaitable<void> look();
    /// What one reading changes.
    void learn(const ledger::ClockReading& reading);

private:
    [[nodiscard]] boost::asio::awaitable<void> mend();

    Parts parts_;
    bool stopping_ = false;
};

}  // namespace fanfare
