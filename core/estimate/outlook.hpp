#pragma once

#include "core/estimate/audience_estimate.hpp"
#include "core/ledger/replays.hpp"

#include <array>
#include <set>
#include <span>
#include <string>

namespace fanfare {

/// What would become of the people whom a replay takes over, if they were served now.
struct Outlook {
    struct OnChannel {
        std::int64_t people = 0;     // Who are taken over ...
        std::int64_t looked_at = 0;  // ... and of them, looked at one by one; figures are for all.
        ChannelEstimate found;
    };
    std::array<OnChannel, channel_count> channels{};
    /// Systems whose people were not looked at: their database does not answer, or they have left
    /// the configuration.
    std::set<std::string> not_asked;

    [[nodiscard]] bool is_exact() const noexcept;
};

/// What the outlook is read with.
struct OutlookParts {
    const Settings& settings;
    const Systems& systems;
    const Templates& templates;
    const Clock& clock;
};

/// Looks at the people of `counts`, those of expired jobs only where these are to live anew. Asks
/// as the sender does, and writes nothing. Throws what libpqxx throws of the ledger.
///
/// Bounds    people_max people a channel, and no further job after looks_max; beyond, figures are
///           scaled.
/// Threads   any; one connection of each system's database while it runs.
[[nodiscard]] Outlook look_ahead(const OutlookParts& parts, postgres::Connection& ledger,
                                 const ledger::ReplayFilter& filter, bool lives_anew,
                                 std::span<const ledger::ReplayCount> counts);

}  // namespace fanfare
