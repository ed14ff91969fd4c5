#pragma once

#include "core/error/failure.hpp"
#include "core/postgres/pool.hpp"

#include <functional>

namespace fanfare {

namespace ledger {
struct OpenReplay;
}

/// Carries out the replays that were ordered through the API, whoever took the order: what a
/// producer left undone another one goes on with. Several at one replay do each of its jobs once.
///
/// Bounds    replays_max a turn; one old job at a time, each a transaction.
/// Threads   turn() on one.
class Replayer {
public:
    static constexpr int replays_max = 100;

    struct Parts {
        postgres::Pool& ledger;
        std::function<bool()> stopped;  // Then the rest is left to the next turn, or producer.
    };
    explicit Replayer(Parts parts) : parts_{std::move(parts)} {}

    /// The first fault; a replay that fails is in no other one's way.
    [[nodiscard]] Result<void> turn();

private:
    [[nodiscard]] Result<void> carry_out(const ledger::OpenReplay& replay);

    Parts parts_;
};

}  // namespace fanfare
