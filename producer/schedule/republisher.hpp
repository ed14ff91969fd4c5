#pragma once

#include "core/ledger/untaken.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"
#include "producer/schedule/probe.hpp"
#include "producer/schedule/publisher.hpp"

#include <functional>

namespace fanfare {

/// Publishes again what the broker has acknowledged and no worker has taken, from the notifications
/// and the API's orders; an outbox sees to its own rows (Outbox). Twice published is one job.
///
/// Bounds    rows_max rows a turn, of which bodies_max are in memory at once.
/// Threads   turn() on one; several producers skip each other's rows.
class Republisher {
public:
    static constexpr int rows_max = 1'000;
    static constexpr int bodies_max = 16;

    struct Parts {
        postgres::Pool& ledger;
        const Systems& systems;
        ScheduleProbe& probe;
        PublishJob publish;
        std::function<void()> due;  // Notifications can be claimed again.
    };
    Republisher(Parts parts, ledger::UntakenTimes times);

    /// True when there may be more to look at.
    [[nodiscard]] Result<bool> turn();

private:
    [[nodiscard]] Result<ledger::UntakenTally> look_at_notifications();
    [[nodiscard]] Result<ledger::UntakenTally> look_at_requests();
    [[nodiscard]] Result<void> publish_requests();
    void tell(const ledger::UntakenTally& tally, const char* source);

    Parts parts_;
    ledger::UntakenTimes times_;
    std::vector<std::string> systems_;
};

}  // namespace fanfare
