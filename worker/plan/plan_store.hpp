#pragma once

#include "core/ledger/plans.hpp"
#include "core/postgres/pool.hpp"
#include "worker/send/job_context.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// The plans of jobs as the planner and its keeper use them, in the ledger or in a test. A failure
/// that is retryable may have happened all the same.
///
/// Threads   any; each call blocks.
class PlanStore {
public:
    using Context = std::shared_ptr<const JobContext>;

    /// A plan in hand.
    struct Held {
        std::string job;
        std::int32_t epoch = 0;
        bool is_ours = true;
    };

    /// What a job says; or why it says nothing that is configured here.
    struct Understood {
        Context context;
        std::optional<Failure> unknown;
    };

    virtual ~PlanStore() = default;
    /// As ledger::claim_plan().
    [[nodiscard]] virtual Result<std::optional<ledger::PlanTask>> claim(
        const std::string& job, std::chrono::milliseconds lease) = 0;
    /// As ledger::claim_plans().
    [[nodiscard]] virtual Result<std::vector<ledger::PlanTask>> claim_many(
        std::span<const std::string> jobs, std::chrono::milliseconds lease) = 0;
    /// As ledger::keep_plan(), of each: says of which are not ours any more.
    [[nodiscard]] virtual Result<void> keep(std::span<Held> plans,
                                            std::chrono::milliseconds lease) = 0;
    [[nodiscard]] virtual Result<Understood> understand(const ledger::PlanTask& task) = 0;
    /// As ledger::cancel_earlier(), of the kinds that the job's own one takes the place of.
    [[nodiscard]] virtual Result<std::int64_t> cancel_earlier(const JobContext& job) = 0;
    /// As ledger::write_plan(), fenced by the plan's epoch.
    [[nodiscard]] virtual Result<bool> write(const ledger::PlanTask& task, Lane lane,
                                             std::span<const ledger::NewChunk> chunks,
                                             std::chrono::milliseconds lease,
                                             std::chrono::milliseconds republish_after) = 0;
    /// As ledger::finish_plan(), fenced the same.
    [[nodiscard]] virtual Result<bool> finish(const ledger::PlanTask& task) = 0;
    /// As ledger::write_whole_plans().
    [[nodiscard]] virtual Result<std::vector<std::string>> write_whole(
        std::span<const ledger::WholePlan> plans, std::chrono::milliseconds republish_after) = 0;
    /// As ledger::look_again().
    [[nodiscard]] virtual Result<std::optional<ledger::PlanTask>> look_again(
        const ledger::PlanTask& task, std::chrono::milliseconds lease) = 0;
    /// As ledger::fail_plan().
    [[nodiscard]] virtual Result<bool> note_failure(const ledger::PlanTask& task,
                                                    const ledger::PlanFailure& failure) = 0;
    /// As ledger::postpone_plan().
    [[nodiscard]] virtual Result<void> postpone(const ledger::PlanTask& task,
                                                std::chrono::milliseconds wait) = 0;
    /// As ledger::unclaim_plan().
    [[nodiscard]] virtual Result<void> unclaim(const ledger::PlanTask& task) = 0;
};

/// The ledger's.
///
/// Lifetime  what it is given outlives it.
class LedgerPlanStore final : public PlanStore {
public:
    LedgerPlanStore(postgres::Pool& ledger, JobContexts& job_contexts)
        : ledger_{ledger}, job_contexts_{job_contexts} {}
    [[nodiscard]] Result<std::optional<ledger::PlanTask>> claim(
        const std::string& job, std::chrono::milliseconds lease) override;
    [[nodiscard]] Result<std::vector<ledger::PlanTask>> claim_many(
        std::span<const std::string> jobs, std::chrono::milliseconds lease) override;
    [[nodiscard]] Result<void> keep(std::span<Held> plans,
                                    std::chrono::milliseconds lease) override;
    [[nodiscard]] Result<Understood> understand(const ledger::PlanTask& task) override;
    [[nodiscard]] Result<std::int64_t> cancel_earlier(const JobContext& job) override;
    [[nodiscard]] Result<bool> write(const ledger::PlanTask& task, Lane lane,
                                     std::span<const ledger::NewChunk> chunks,
                                     std::chrono::milliseconds lease,
                                     std::chrono::milliseconds republish_after) override;
    [[nodiscard]] Result<bool> finish(const ledger::PlanTask& task) override;
    [[nodiscard]] Result<std::vector<std::string>> write_whole(
        std::span<const ledger::WholePlan> plans,
        std::chrono::milliseconds republish_after) override;
    [[nodiscard]] Result<std::optional<ledger::PlanTask>> look_again(
        const ledger::PlanTask& task, std::chrono::milliseconds lease) override;
    [[nodiscard]] Result<bool> note_failure(const ledger::PlanTask& task,
                                            const ledger::PlanFailure& failure) override;
    [[nodiscard]] Result<void> postpone(const ledger::PlanTask& task,
                                        std::chrono::milliseconds wait) override;
    [[nodiscard]] Result<void> unclaim(const ledger::PlanTask& task) override;

private:
    postgres::Pool& ledger_;
    JobContexts& job_contexts_;
};

}  // namespace fanfare
