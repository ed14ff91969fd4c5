#pragma once

#include "core/clock/clock.hpp"
#include "core/observe/seldom.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job.hpp"
#include "producer/schedule/probe.hpp"
#include "producer/schedule/publisher.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace fanfare {

/// The job of a row: its system is this one, its idempotency key the row's id unless it has one of
/// its own. Pure.
[[nodiscard]] std::variant<Job, Rejection> outbox_job(const std::string& row_id,
                                                      std::string_view json, const System& system,
                                                      const Systems& systems);

/// Publishes what a backend put into the outbox of its own database.
///
/// A row is locked, published, and deleted when the broker has it. Who dies in between leaves it,
/// and it is published again as the same job. A row that is no job stays, with the reason in it.
///
/// Bounds    rows_max rows a turn; they are locked for acknowledged_max at most.
/// Threads   turn() on one; several producers may share a table.
class Outbox {
public:
    static constexpr int rows_max = 200;
    static constexpr std::chrono::seconds acknowledged_max{10};

    struct Parts {
        postgres::Pool& source;  // Of the system's database; may write.
        const Systems& systems;
        ScheduleProbe& probe;
        PublishJob publish;
        const Clock& clock{system_clock()};
    };
    struct Turn {
        std::size_t rows = 0;  // Seen; rows_max: there may be more.
        std::size_t published = 0;
        std::size_t rejected = 0;
    };
    Outbox(Parts parts, const System& system) : parts_{std::move(parts)}, system_{system} {}

    [[nodiscard]] Result<Turn> turn();

private:
    [[nodiscard]] Turn move_rows(postgres::Connection& source);

    Parts parts_;
    const System& system_;
    Seldom unusable_{"rows of an outbox are no job; the column rejected tells why", parts_.clock};
};

}  // namespace fanfare
