#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/settings/settings.hpp"
#include "worker/probes/probes.hpp"
#include "worker/send/chunk_batcher.hpp"
#include "worker/send/dispatcher.hpp"
#include "worker/sweep/outage.hpp"
#include "worker/sweep/sweep_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace fanfare {

/// Brings back whatever stalls: Kafka carries the work, PostgreSQL owns the truth.
///
/// Every sweep_interval: chunks whose lease ran out are settled by their policy, those that wait
/// for nobody any more, because their job was cancelled or has expired, are settled whoever could
/// have sent them, chunks that should have been claimed by now are fetched as far as this worker
/// has room for them, jobs that nobody plans are planned, jobs whose every chunk is settled are
/// closed, receipts that came early are applied, suppressions that older programs write are read.
/// Many sweepers may run; each row is one's. After an outage of the ledger chunks are taken over
/// only when whoever lives has had the time to record; while its clock is in doubt nothing expires.
/// A ledger at rest is asked once an interval whether it has work, and for all of this in one of
/// ten.
///
/// Bounds    100 chunks of either sort being settled; room_max chunks of a channel and lane waiting
///           here.
/// Stop      stop(), then await run().
/// Threads   one serial executor.
class Sweeper {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        SweepStore& store;
        const Clock& clock;  // The machine's.
        ChunkBatcher& batcher;
        Dispatcher& dispatcher;
        std::function<bool(Channel)> serves;  // With an account that can be used now.
        WorkerProbe& probe;
        std::function<void(const std::string& job, Lane lane)> plan;
        std::function<boost::asio::awaitable<void>()> apply_early;  // Receipts that came early.
    };
    Sweeper(Parts parts, const WorkerSettings& settings)
        : parts_{std::move(parts)},
          settings_{settings},
          outage_{settings.lease},
          looking_{parts_.executor},
          settling_{parts_.executor} {}

    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

    /// Whether a turn at something that is seldom there is worth its questions: always while the
    /// ledger has work, one in ten while it is at rest.
    [[nodiscard]] bool is_worth_it(int turn) const;

private:
    [[nodiscard]] boost::asio::awaitable<void> sweep();
    [[nodiscard]] boost::asio::awaitable<void> keep_looking();
    [[nodiscard]] boost::asio::awaitable<bool> look();
    [[nodiscard]] boost::asio::awaitable<bool> may_take_over();
    [[nodiscard]] boost::asio::awaitable<void> settle_stalled_chunks();
    [[nodiscard]] boost::asio::awaitable<void> end_jobs();
    [[nodiscard]] boost::asio::awaitable<std::size_t> settle_ended_jobs();
    [[nodiscard]] boost::asio::awaitable<void> record(ledger::ClaimedChunk chunk);
    [[nodiscard]] boost::asio::awaitable<void> fetch_overdue();
    [[nodiscard]] boost::asio::awaitable<void> resume_plans();
    [[nodiscard]] boost::asio::awaitable<void> close_jobs();
    [[nodiscard]] boost::asio::awaitable<void> read_suppressions();

    Parts parts_;
    const WorkerSettings& settings_;
    Outage outage_;
    TaskGroup looking_;
    TaskGroup settling_;
    bool has_work_ = true;  // As the last look found.
    bool stopping_ = false;
};

}  // namespace fanfare
