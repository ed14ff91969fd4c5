#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/untaken.hpp"
#include "core/observe/seldom.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job.hpp"
#include "producer/schedule/probe.hpp"
#include "producer/schedule/publisher.hpp"

#include <pqxx/result>

#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// The job of a row: its system is this one, its idempotency key the row's id unless it has one of
/// its own. Pure.
[[nodiscard]] std::variant<Job, Rejection> outbox_job(const std::string& row_id,
                                                      std::string_view json, const System& system,
                                                      const Systems& systems);

/// Publishes what a backend put into the outbox of its own database.
///
/// A row is locked and published; it stays until a worker has taken its job, and then goes. What
/// the broker has is noted in the ledger, so that the table needs no column for it. Who dies in
/// between leaves the row, and it is published again as the same job, as it is when no worker takes
/// it. A row that is no job, or that a worker refused, stays with the reason in it.
///
/// Bounds    rows_max rows a turn; they are locked for acknowledged_max at most. marks_max
///           published rows: with more nothing new is published until workers have taken some.
/// Threads   turn() on one; several producers may share a table.
class Outbox {
public:
    static constexpr int rows_max = 200;
    static constexpr int marks_max = 5'000;
    static constexpr std::chrono::seconds acknowledged_max{10};

    struct Parts {
        postgres::Pool& source;  // Of the system's database; may write.
        postgres::Pool& ledger;
        const Systems& systems;
        ScheduleProbe& probe;
        PublishJob publish;
        ledger::UntakenTimes times{};
        const Clock& clock{system_clock()};
    };
    struct Turn {
        std::size_t rows = 0;  // Seen; rows_max: there may be more.
        std::size_t published = 0;
        std::size_t rejected = 0;
        std::size_t taken = 0;  // By workers: they are gone.
        double oldest_s = 0;    // Age of the oldest, where the broker did not take all; else 0.
    };
    Outbox(Parts parts, const System& system) : parts_{std::move(parts)}, system_{system} {}

    [[nodiscard]] Result<Turn> turn();

private:
    using Marks = std::vector<ledger::OutboxMark>;
    [[nodiscard]] Result<Marks> settle_marks(Turn& turn);
    void let_go(postgres::Connection& source, const Marks& settled);
    void publish_rows(postgres::Connection& source, const Marks& waiting, Turn& turn);
    [[nodiscard]] std::set<std::string> published_by_others(const pqxx::result& rows);
    void mark(const std::vector<ledger::PublishedRow>& rows);

    Parts parts_;
    const System& system_;
    Seldom unusable_{"rows of an outbox are no job; the column rejected tells why", parts_.clock};
};

}  // namespace fanfare
