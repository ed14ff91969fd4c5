#include "producer/schedule/replayer.hpp"

#include "core/ledger/replays.hpp"

#include <spdlog/spdlog.h>

#include <optional>

namespace fanfare {

Result<void> Replayer::turn() {
    auto look = [](postgres::Connection& ledger) {
        return ledger::open_replays(ledger, replays_max);
    };
    const auto open = parts_.ledger.call("look for replays to carry out", look);
    if (!open) return open.error();
    std::optional<Failure> first;
    for (const auto& replay : open.value()) {
        auto done = carry_out(replay);
        if (!done && !first) first = done.error();
        if (parts_.stopped()) break;
    }
    if (first) return *first;
    return {};
}

Result<void> Replayer::carry_out(const ledger::OpenReplay& replay) {
    auto find = [&](postgres::Connection& ledger) {
        return ledger::replayable_jobs(ledger, replay.order);
    };
    const auto jobs = parts_.ledger.call("find jobs to replay", find);
    if (!jobs) return jobs.error();
    std::int64_t people = 0;
    std::int64_t held = 0;
    for (const auto& job : jobs.value()) {
        if (parts_.stopped()) return {};
        auto work = [&](postgres::Connection& ledger) {
            return ledger::replay_job(ledger, replay.id, replay.order, job);
        };
        const auto done = parts_.ledger.call("replay a job", work);
        if (!done) return done.error();
        people += done.value().people;
        held += done.value().held;
    }
    auto end = [&](postgres::Connection& ledger) { ledger::end_replay(ledger, replay.id, held); };
    const auto ended = parts_.ledger.call("end a replay", end);
    if (!ended) return ended.error();
    spdlog::info("replay {}: {} people of {} jobs are served once more", replay.id, people,
                 jobs.value().size());
    return {};
}

}  // namespace fanfare
