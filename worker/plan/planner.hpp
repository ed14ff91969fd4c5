#pragma once

#include "core/kafka/producer.hpp"
#include "core/ledger/jobs.hpp"
#include "core/settings/settings.hpp"
#include "worker/probes/probes.hpp"
#include "worker/send/job_context.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace fanfare {

/// Cuts one job's audience into chunks.
///
///   audience (a cursor, in order of recipient id) -> chunks by channel -> ledger -> descriptors
///
/// Every fetch is written with the cursor in one transaction, so a planner that dies is
/// resumed where it stopped, and each person is in exactly one chunk per channel. Sending
/// starts while planning goes on.
///
/// Bounds    plan_batch recipients in memory, whatever the audience.
/// Stop      set `stopping`: planning ends after the fetch in hand, for another to resume.
/// Threads   plan() blocks; one job a thread.
/// Lifetime  everything in Parts outlives plan().
class Planner {
public:
    struct Parts {
        postgres::Pool& ledger;
        Sources& sources;
        kafka::Producer& producer;
        kafka::Topics topics;
        const Clock& clock;
        WorkerProbe& probe;
        const std::atomic<bool>& stopping;
    };
    /// How to cut a channel: its chunk size, already fitted to the rate of its account.
    using Sizes = std::array<std::uint32_t, channel_count>;

    Planner(Parts parts, const WorkerSettings& settings, Sizes sizes)
        : parts_{std::move(parts)}, settings_{settings}, sizes_{sizes} {}

    /// Plans the job, or resumes it, if nobody else does. A failure is noted at the job and
    /// tried again later.
    void plan(const std::string& job);

private:
    [[nodiscard]] Result<void> check_templates(const JobContext& job);
    [[nodiscard]] Result<bool> clear_the_way(const JobContext& job, const ledger::PlanTask& task);
    [[nodiscard]] Result<void> stream(const JobContext& job, ledger::PlanTask& task);
    [[nodiscard]] Result<bool> write(const JobContext& job, ledger::PlanTask& task,
                                     std::vector<ledger::NewChunk>& chunks);
    void publish(const JobContext& job, const std::vector<ledger::NewChunk>& chunks);
    void note_failure(const ledger::PlanTask& task, const Failure& failure);

    Parts parts_;
    const WorkerSettings& settings_;
    Sizes sizes_;
};

}  // namespace fanfare
