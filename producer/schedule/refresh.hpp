#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/notifications.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"

#include <chrono>
#include <optional>

namespace fanfare {

/// What one run of a due query came to.
struct RefreshReport {
    ledger::RefreshTally tally;
    std::size_t rows = 0;
    std::size_t unusable = 0;  // Rows without subject or with moments that are none; left out.
    bool cut = false;          // More rows than are taken in at a time.
    std::chrono::nanoseconds query_took{0};
};

/// Runs due queries and brings the ledger's notifications up to what they find.
///
/// A query that fails changes nothing; after one whose rows are not all usable nothing is
/// cancelled, for what is missing may only be unreadable.
///
/// Bounds    rows_max rows a query, the earliest due; rows_per_fetch in memory.
/// Threads   any; one connection of each pool while it runs.
class Refresher {
public:
    static constexpr std::size_t rows_max = 100'000;
    static constexpr int rows_per_fetch = 2'000;

    struct Parts {
        postgres::Pool& ledger;
        postgres::Pool& source;  // The system's database.
        const Clock& clock;
        std::chrono::seconds horizon;
    };
    Refresher(Parts parts, const System& system) : parts_{parts}, system_{system} {}

    /// Nothing when another producer is refreshing the same kind right now.
    [[nodiscard]] Result<std::optional<RefreshReport>> refresh(const Schedule& schedule);

private:
    [[nodiscard]] RefreshReport stream(postgres::Connection& source, const Schedule& schedule,
                                       ledger::NotificationRefresh& refresh) const;

    Parts parts_;
    const System& system_;
};

}  // namespace fanfare
