// Many small jobs by a handful of statements.
//
// A job of five people costs its planner a dozen statements and three flushes to disk; to send
// five messages costs a tenth of that. So jobs that wait together are claimed by one statement,
// read in one transaction of their system's database, and written and finished by one of the
// ledger: either the whole of such a job is there or nothing of it.
//
// This is the way of what is small and well. Whatever is not - a planner was not heard of again,
// there are more people, nobody has checked it, its reading failed - is given back as if nobody had
// claimed it, and planned alone (planner.cpp), where it is known whose fault what is. When a commit
// fails, or its answer is lost, each job is gone on with alone: whose state or epoch has changed is
// not planned again.
#include "core/observe/log.hpp"
#include "worker/plan/audience.hpp"
#include "worker/plan/planner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds at_once{0};
constexpr milliseconds claim_again{1'000};  // When the ledger could not be asked.

}  // namespace

/// A job on its way together with others.
struct Planner::Small {
    ledger::PlanTask task;  // As claimed.
    PlanStore::Context context;
    std::optional<Span> span;
    SmallAudience audience;
};

std::vector<Planner::Wait> Planner::plan_together(std::span<const std::string> jobs) {
    if (jobs.size() == 1) return {plan(jobs.front())};
    return plan_small(jobs, small_max, Beside::no);
}

std::vector<Planner::Wait> Planner::plan_beside(std::span<const std::string> jobs) {
    return plan_small(jobs, people_beside_max, Beside::a_giant);
}

std::vector<Planner::Wait> Planner::plan_small(std::span<const std::string> jobs,
                                               std::size_t people_max, Beside beside) {
    const auto claimed = parts_.store.claim_many(jobs, settings_.lease);
    if (!claimed) {
        spdlog::warn("{}; {} jobs are tried again", describe(claimed.error()), jobs.size());
        return std::vector<Wait>(jobs.size(), claim_again);
    }
    Waits waits;
    for (const auto& job : jobs) waits[job] = at_once;  // Unless it was claimed.
    std::vector<Small> small;
    for (const auto& task : claimed.value()) {
        auto& wait = waits[task.job];
        wait.reset();
        if (const auto context = small_perhaps(task, wait)) {
            auto span = span_in(parts_.tracer, task.trace, "plan", Span::Kind::internal);
            small.push_back({task, context, std::move(span), SmallAudience{context.get()}});
        } else if (!wait) {
            plan_apart(task, wait);
        }
    }
    read_small(small, people_max);
    const auto rest = std::stable_partition(small.begin(), small.end(),
                                            [](const Small& job) { return job.audience.is_whole; });
    for (auto job = rest; job != small.end(); ++job) plan_apart(job->task, waits[job->task.job]);
    small.erase(rest, small.end());
    write_small(small, waits, beside);
    std::vector<Wait> ordered;
    for (const auto& job : jobs) ordered.push_back(waits[job]);
    return ordered;
}

/// What the job says, when it may go together with others; or when it is worth another try.
PlanStore::Context Planner::small_perhaps(const ledger::PlanTask& task, Wait& again) {
    // Whoever died of a job takes nobody else's with it again.
    if (parts_.stopping || task.unheard > 1 || !task.cursor.empty()) return nullptr;
    const auto understood = parts_.store.understand(task);
    if (!understood || understood.value().unknown) return nullptr;
    auto context = understood.value().context;
    if (is_told_audience(*context) || is_read_apart(context->source)) return nullptr;
    if (turns_.is_full(context->source)) return nullptr;
    if (task.own_templates || !is_checked(task.job)) return nullptr;
    const auto clear = clear_the_way(*context, task);
    if (!clear) return nullptr;
    again = clear.value();
    return again ? nullptr : context;
}

/// Nobody has claimed it, and it is taken alone the next time.
void Planner::plan_apart(const ledger::PlanTask& task, Wait& wait) {
    const auto given = parts_.store.unclaim(task);
    if (!given) spdlog::info("{}; the plan's lease settles it", describe(given.error()));
    wait = at_once;
}

void Planner::read_small(std::vector<Small>& jobs, std::size_t people_max) {
    const auto source_of = [](const Small& job) { return job.context->source; };
    std::stable_sort(jobs.begin(), jobs.end(), [&](const Small& a, const Small& b) {
        return std::less<>{}(source_of(a), source_of(b));
    });
    for (auto first = jobs.begin(); first != jobs.end();) {
        const auto last = std::find_if(first, jobs.end(), [&](const Small& job) {
            return source_of(job) != source_of(*first);
        });
        std::vector<SmallAudience*> audiences;
        for (auto job = first; job != last; ++job) audiences.push_back(&job->audience);
        const auto& task = first->task;
        Hold hold{keeper_, task.job, task.epoch};
        const auto turn = turns_.begin(task.job, source_of(*first), first->context->job.lane);
        const auto read =
            turn ? parts_.audiences.read_small(audiences, people_max, together_max, hold)
                 : Result<void>{fail(Errc::store_unavailable, "read small audiences")};
        if (!read) {
            spdlog::info("{}; {} jobs are planned alone", describe(read.error()), last - first);
            const std::lock_guard guard{apart_mutex_};
            apart_[source_of(*first)] = parts_.clock.steady_now() + apart_for;
            for (auto job = first; job != last; ++job) job->audience.is_whole = false;
        }
        first = last;
    }
}

bool Planner::is_read_apart(const postgres::Pool* source) {
    const std::lock_guard guard{apart_mutex_};
    const auto found = apart_.find(source);
    return found != apart_.end() && parts_.clock.steady_now() < found->second;
}

void Planner::write_small(std::span<Small> jobs, Waits& waits, Beside beside) {
    if (jobs.empty()) return;
    std::vector<ledger::WholePlan> plans;
    for (const auto& job : jobs) {
        auto& plan = plans.emplace_back(ledger::WholePlan{job.task, job.context->job.lane, {}});
        plan.task.left_out = job.audience.left_out;
        const std::vector<std::string_view> ids{job.audience.ids.begin(), job.audience.ids.end()};
        if (!ids.empty()) cut_chunks(*job.context, plan.task, ids, plan.chunks);
    }
    const auto written = parts_.store.write_whole(plans, settings_.republish_after);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        auto& [task, context, span, audience] = jobs[i];
        if (!written && beside == Beside::a_giant) {  // Which waits meanwhile.
            plan_apart(task, waits[task.job]);
            continue;
        }
        if (!written) {
            waits[task.job] = plan_claimed(task);
            continue;
        }
        const LogTrace about{task.trace};
        const auto& ours = written.value();
        if (std::find(ours.begin(), ours.end(), task.job) == ours.end()) continue;
        for (const auto channel : context->job.channels) {
            parts_.probe.planned(channel, audience.ids.size());
        }
        publish(*context, plans[i].chunks);
        tell_planned(*context, plans[i].task);
        end_span(std::move(span), task, plans[i].task, false);
    }
}

}  // namespace fanfare
