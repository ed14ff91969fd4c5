#include "worker/plan/plan_store.hpp"

#include "core/ledger/jobs.hpp"

#include <utility>

namespace fanfare {
namespace {

using std::chrono::milliseconds;

}  // namespace

Result<std::optional<ledger::PlanTask>> LedgerPlanStore::claim(const std::string& job,
                                                               milliseconds lease) {
    auto ask = [&](postgres::Connection& ledger) { return ledger::claim_plan(ledger, job, lease); };
    return ledger_.call("claim a plan", ask);
}

Result<std::vector<ledger::PlanTask>> LedgerPlanStore::claim_many(std::span<const std::string> jobs,
                                                                  milliseconds lease) {
    auto ask = [&](postgres::Connection& ledger) {
        return ledger::claim_plans(ledger, jobs, lease);
    };
    return ledger_.call("claim plans", ask);
}

Result<void> LedgerPlanStore::keep(std::span<Held> plans, milliseconds lease) {
    auto ask = [&](postgres::Connection& ledger) {
        for (auto& plan : plans) {
            plan.is_ours = ledger::keep_plan(ledger, plan.job, plan.epoch, lease);
        }
    };
    return ledger_.call("keep plans", ask);
}

Result<PlanStore::Understood> LedgerPlanStore::understand(const ledger::PlanTask& task) {
    auto ask = [&](postgres::Connection& ledger) {
        auto loaded = job_contexts_.load_context(ledger, task.body, task.own_templates);
        return loaded ? Understood{std::move(loaded.value()), {}}
                      : Understood{nullptr, loaded.error()};
    };
    return ledger_.call("understand a job", ask);
}

Result<std::int64_t> LedgerPlanStore::cancel_earlier(const JobContext& job) {
    auto ask = [&](postgres::Connection& ledger) {
        return ledger::cancel_earlier(ledger, job.job, job.kind->cancels);
    };
    return ledger_.call("cancel earlier jobs", ask);
}

Result<bool> LedgerPlanStore::write(const ledger::PlanTask& task, Lane lane,
                                    std::span<const ledger::NewChunk> chunks, milliseconds lease,
                                    milliseconds republish_after) {
    auto ask = [&](postgres::Connection& ledger) {
        return ledger::write_plan(ledger, task, lane, chunks, lease, republish_after);
    };
    return ledger_.call("write chunks", ask);
}

Result<bool> LedgerPlanStore::finish(const ledger::PlanTask& task) {
    auto ask = [&](postgres::Connection& ledger) { return ledger::finish_plan(ledger, task); };
    return ledger_.call("finish a plan", ask);
}

Result<std::vector<std::string>> LedgerPlanStore::write_whole(
    std::span<const ledger::WholePlan> plans, milliseconds republish_after) {
    auto ask = [&](postgres::Connection& ledger) {
        return ledger::write_whole_plans(ledger, plans, republish_after);
    };
    return ledger_.call("write small plans", ask);
}

Result<std::optional<ledger::PlanTask>> LedgerPlanStore::look_again(const ledger::PlanTask& task,
                                                                    milliseconds lease) {
    auto ask = [&](postgres::Connection& ledger) {
        return ledger::look_again(ledger, task, lease);
    };
    return ledger_.call("look where a plan stands", ask);
}

Result<bool> LedgerPlanStore::note_failure(const ledger::PlanTask& task,
                                           const ledger::PlanFailure& failure) {
    auto ask = [&](postgres::Connection& ledger) {
        return ledger::fail_plan(ledger, task, failure);
    };
    return ledger_.call("note a failed plan", ask);
}

Result<void> LedgerPlanStore::postpone(const ledger::PlanTask& task, milliseconds wait) {
    auto ask = [&](postgres::Connection& ledger) { ledger::postpone_plan(ledger, task, wait); };
    return ledger_.call("give a plan back", ask);
}

Result<void> LedgerPlanStore::unclaim(const ledger::PlanTask& task) {
    auto ask = [&](postgres::Connection& ledger) { ledger::unclaim_plan(ledger, task); };
    return ledger_.call("give a plan back", ask);
}

}  // namespace fanfare
