#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/notifications.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare {

/// Subjects to look at.
using DueNames = std::vector<std::string>;
/// Tells what a due query finds from what it found before: a number for each subject, "" for rows
/// without one.
using DueDigest = std::unordered_map<std::string, std::uint64_t>;

/// What one run of a due query came to.
struct RefreshReport {
    ledger::RefreshTally tally;
    std::size_t rows = 0;
    std::size_t unusable = 0;  // Rows with something that cannot be; left out, each by itself.
    std::string fault;         // Of the first of these: which one it is and what of it.
    bool cut = false;          // More rows than are taken in at a time.
    TimePoint horizon{};
    DueDigest digest;  // Of all rows; empty where it was of some subjects.
    std::chrono::nanoseconds query_took{0};
};

/// Runs due queries and brings the ledger's notifications up to what they find.
///
/// A query that fails changes nothing. A row that cannot be used stands alone: what there is of its
/// subject stays as it is (of its occurrence, where it has no subject), and all else is added and
/// cancelled as ever.
///
/// Bounds    rows_max rows a query, the earliest due; rows_per_fetch in memory, and a subject and a
///           number of each.
/// Threads   any; one connection of each pool while it runs.
class Refresher {
public:
    static constexpr std::size_t rows_max = 100'000;
    static constexpr int rows_per_fetch = 2'000;

    struct Parts {
        postgres::Pool& ledger;
        postgres::Pool& source;  // The system's database, by due_limits().
        const Clock& clock;
        std::chrono::seconds horizon;
        /// Whether a reading of the ledger's clock is to be gone by. Empty: any is.
        std::function<bool(const ledger::ClockReading& reading)> believes{};
    };
    /// Of the sessions in which a system's due queries run.
    [[nodiscard]] static postgres::Limits due_limits(const System& system) {
        return {.statement_timeout = system.statement_timeout, .read_only = true, .in_utc = true};
    }
    Refresher(Parts parts, const System& system) : parts_{std::move(parts)}, system_{system} {}

    /// Nothing when another producer is refreshing the same kind right now, or nobody knows the
    /// time. With `names`, only of what has these subjects.
    [[nodiscard]] Result<std::optional<RefreshReport>> refresh(
        const Schedule& schedule, const std::optional<DueNames>& names = {});

    /// What the due query finds up to `horizon`, and nothing is done about. Nothing where there is
    /// more than is taken in.
    [[nodiscard]] Result<std::optional<DueDigest>> look(const Schedule& schedule,
                                                        TimePoint horizon);

private:
    [[nodiscard]] RefreshReport stream(postgres::Connection& source, const Schedule& schedule,
                                       const std::optional<DueNames>& names,
                                       ledger::NotificationRefresh& refresh) const;
    [[nodiscard]] Result<std::optional<RefreshReport>> refresh_in(
        postgres::Connection& ledger, const Schedule& schedule,
        const std::optional<DueNames>& names);

    Parts parts_;
    const System& system_;
};

}  // namespace fanfare
