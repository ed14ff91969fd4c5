#pragma once

#include "worker/send/account_selector.hpp"
#include "worker/send/dispatcher.hpp"
#include "worker/send/fleet_store.hpp"
#include "worker/send/pauses.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fanfare {

/// What all replicas obey, read each half second: what one of them was asked to wait for by a
/// provider, and what operators have paused and which rates they have set. What this worker alone
/// knows of its accounts is told to the ledger every five seconds, where it changed.
///
/// Stop      stop(), then await run().
/// Threads   one serial executor.
/// Lifetime  everything in Parts outlives run().
class AccountWatch {
public:
    struct Parts {
        FleetStore& store;
        AccountSelector& selector;
        Pauses& pauses;
        Dispatcher& dispatcher;
        const Clock& clock;
        std::string worker;  // Its name among the replicas.
    };
    explicit AccountWatch(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

    /// Reads once, and obeys.
    [[nodiscard]] boost::asio::awaitable<void> look();

    /// What changed since it was told last.
    [[nodiscard]] std::vector<ledger::AccountHealth> changed();

private:
    struct Told {
        ledger::AccountHealth health;
        std::uint64_t used = 0;
    };
    void obey(ledger::FleetState state);
    [[nodiscard]] boost::asio::awaitable<void> tell();

    Parts parts_;
    std::map<std::string, Told> told_;
    SteadyTime told_at_{};
    bool stopping_ = false;
};

}  // namespace fanfare
