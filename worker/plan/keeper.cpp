#include "worker/plan/keeper.hpp"

#include "core/ledger/jobs.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::chrono::milliseconds interval_max{2'000};
constexpr std::chrono::milliseconds look_every{100};  // At `stopping`, while there are plans.

}  // namespace

PlanKeeper::PlanKeeper(postgres::Pool& ledger, const Clock& clock, std::chrono::milliseconds lease,
                       const std::atomic<bool>& stopping)
    : ledger_{ledger},
      clock_{clock},
      lease_{lease},
      interval_{std::min(lease / 4, interval_max)},
      stopping_{stopping},
      thread_{[this] { run(); }} {}

PlanKeeper::~PlanKeeper() {
    {
        const std::lock_guard guard{mutex_};
        ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

PlanKeeper::Hold::Hold(PlanKeeper& keeper, std::string job, std::int32_t epoch)
    : keeper_{keeper}, job_{std::move(job)}, epoch_{epoch} {
    const std::lock_guard guard{keeper_.mutex_};
    keeper_.holds_.push_back(this);
    keeper_.changed_.notify_all();
}

PlanKeeper::Hold::~Hold() {
    const std::lock_guard guard{keeper_.mutex_};
    std::erase(keeper_.holds_, this);
}

PlanKeeper::Reading::Reading(Hold& hold, postgres::Connection& connection) : hold_{hold} {
    const std::lock_guard guard{hold.keeper_.mutex_};
    hold.reading_ = &connection;
}

PlanKeeper::Reading::~Reading() {
    const std::lock_guard guard{hold_.keeper_.mutex_};
    hold_.reading_ = nullptr;
}

void PlanKeeper::pause(std::chrono::milliseconds wait) {
    const auto end = clock_.steady_now() + wait;
    std::unique_lock lock{mutex_};
    while (!stopping_ && !ended_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock_.steady_now());
        if (left.count() <= 0) return;
        changed_.wait_for(lock, std::min(left, look_every));
    }
}

void PlanKeeper::run() {
    std::unique_lock lock{mutex_};
    auto next = clock_.steady_now() + interval_;
    while (!ended_) {
        if (holds_.empty()) {
            changed_.wait(lock);
            next = clock_.steady_now() + interval_;
            continue;
        }
        changed_.wait_for(lock, std::min(interval_, look_every));
        if (clock_.steady_now() >= next && !stopping_) {
            beat(lock);
            next = clock_.steady_now() + interval_;
        }
        interrupt();
    }
}

void PlanKeeper::beat(std::unique_lock<std::mutex>& lock) {
    struct Plan {
        std::string job;
        std::int32_t epoch;
        bool kept;
    };
    std::vector<Plan> plans;
    for (const auto* const hold : holds_) plans.push_back({hold->job_, hold->epoch_, true});
    lock.unlock();
    auto keep = [&](postgres::Connection& ledger) {
        for (auto& plan : plans)
            plan.kept = ledger::keep_plan(ledger, plan.job, plan.epoch, lease_);
    };
    const auto kept = ledger_.call("keep plans", keep);
    lock.lock();
    // Whatever could not be asked counts as kept: writing is fenced all the same.
    if (!kept) return spdlog::debug("{}", describe(kept.error()));
    for (auto* const hold : holds_) {
        for (const auto& plan : plans) {
            const bool same = hold->job_ == plan.job && hold->epoch_ == plan.epoch;
            if (same && !plan.kept) hold->lost_ = true;
        }
    }
}

/// Again at each look, for the order may come between two statements.
void PlanKeeper::interrupt() {
    for (const auto* const hold : holds_) {
        if (hold->reading_ == nullptr || !hold->is_over()) continue;
        try {
            hold->reading_->raw().cancel_query();
        } catch (const std::exception&) {
            // The server is away: so is the query.
        }
    }
}

}  // namespace fanfare
