#include "producer/retention/keeper.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {

RetentionKeeper::RetentionKeeper(Parts parts)
    : parts_{std::move(parts)},
      time_{parts_.clock},
      failed_{"rounds of dropping what is old failed", parts_.clock} {}

RetentionKeeper::~RetentionKeeper() {
    stop();
    join();
}

void RetentionKeeper::start() {
    thread_ = std::thread{[this] {
        while (!waker_.stopped()) {
            turn();
            waker_.wait(interval);
        }
    }};
}

void RetentionKeeper::join() {
    if (thread_.joinable()) thread_.join();
}

std::optional<ledger::Dropped> RetentionKeeper::turn() {
    failed_.settle();
    try {
        postgres::Connection ledger{parts_.ledger_url, {}};
        const auto round =
            ledger::drop_all_old({ledger, time_, parts_.clock, parts_.holder, parts_.keep}, waker_);
        if (round.dropped.jobs > 0) {
            spdlog::info("dropped {} jobs that were older than {} days, with {} chunks",
                         round.dropped.jobs, parts_.keep.count(), round.dropped.chunks);
        }
        using End = ledger::RetentionRound::End;
        // A clock in doubt is told where it is read.
        if (round.end == End::clock_far) failed_.warn(describe(round.end));
        if (round.end != End::done && round.end != End::stopped) return std::nullopt;
        return round.dropped;
    } catch (const std::exception& fault) {
        failed_.warn(describe(postgres::to_failure(fault, true, "drop what is old")));
        return std::nullopt;
    }
}

}  // namespace fanfare
