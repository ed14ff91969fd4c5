#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/opt_outs.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fanfare {

/// Looks up the addresses of who unsubscribes in their system's database.
///
/// Bounds    a connection a call, for 3 s and 2 s at most; a database that does not answer is left
///           alone for ten seconds.
/// Threads   any.
class AddressLookup {
public:
    AddressLookup(const Settings& settings, const Systems& systems, const Clock& clock)
        : settings_{settings}, systems_{systems}, clock_{clock} {}

    /// As they are sent to. Throws what libpqxx throws.
    [[nodiscard]] std::vector<std::string> find(const std::string& system, Channel channel,
                                                const std::string& recipient);

    /// Looks up and keeps the addresses of somebody whose unsubscribe is stored. What fails on the
    /// system's side the workers do later; throws for the ledger's.
    void keep(postgres::Connection& ledger, const ledger::LeftList& left);

private:
    [[nodiscard]] bool is_away(const std::string& system);

    const Settings& settings_;
    const Systems& systems_;
    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, Moment> away_until_;
};

}  // namespace fanfare
