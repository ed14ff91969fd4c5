#include "worker/plan/keeper.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>

namespace fanfare {
namespace {

constexpr std::chrono::milliseconds interval_max{2'000};
constexpr std::chrono::milliseconds look_every{100};  // At `stopping`, while there are plans.

}  // namespace

PlanKeeper::PlanKeeper(PlanStore& store, const Clock& clock, std::chrono::milliseconds lease,
                       const std::atomic<bool>& stopping)
    : store_{store},
      clock_{clock},
      lease_{lease},
      interval_{std::min(lease / 4, interval_max)},
      stopping_{stopping} {}

PlanKeeper::Hold::Hold(PlanKeeper& keeper, std::string job, std::int32_t epoch)
    : keeper_{keeper}, job_{std::move(job)}, epoch_{epoch} {
    const std::lock_guard guard{keeper_.mutex_};
    if (keeper_.holds_.empty()) keeper_.next_ = keeper_.clock_.steady_now() + keeper_.interval_;
    keeper_.holds_.push_back(this);
    keeper_.changed_.notify_all();
}

PlanKeeper::Hold::~Hold() {
    const std::lock_guard guard{keeper_.mutex_};
    std::erase(keeper_.holds_, this);
}

PlanKeeper::Reading::Reading(Hold& hold, std::function<void()> end_query)
    : hold_{hold}, end_query_{std::move(end_query)} {
    const std::lock_guard guard{hold.keeper_.mutex_};
    hold.reading_ = this;
}

PlanKeeper::Reading::~Reading() {
    {
        const std::lock_guard guard{hold_.keeper_.mutex_};
        hold_.reading_ = nullptr;
    }
    if (ending_.joinable()) ending_.join();
}

void PlanKeeper::Reading::end() {
    if (is_ending_) return;
    if (ending_.joinable()) ending_.join();
    const auto ask = [this] {
        try {
            end_query_();
        } catch (const std::exception&) {
            // The server is away: so is the query.
        }
        is_ending_ = false;
    };
    is_ending_ = true;
    try {
        ending_ = std::thread{ask};
    } catch (const std::system_error&) {
        is_ending_ = false;  // There is no thread to be had: at the next look.
    }
}

void PlanKeeper::look() {
    std::unique_lock lock{mutex_};
    look(lock);
}

void PlanKeeper::look(std::unique_lock<std::mutex>& lock) {
    if (clock_.steady_now() >= next_ && !stopping_) {
        beat(lock);
        next_ = clock_.steady_now() + interval_;
    }
    interrupt();
}

void PlanKeeper::beat(std::unique_lock<std::mutex>& lock) {
    std::vector<PlanStore::Held> plans;
    for (const auto* const hold : holds_) plans.push_back({hold->job_, hold->epoch_});
    if (plans.empty()) return;
    lock.unlock();
    const auto kept = store_.keep(plans, lease_);
    lock.lock();
    // Whatever could not be asked counts as kept: writing is fenced all the same.
    if (!kept) return spdlog::debug("{}", describe(kept.error()));
    for (auto* const hold : holds_) {
        for (const auto& plan : plans) {
            const bool same = hold->job_ == plan.job && hold->epoch_ == plan.epoch;
            if (same && !plan.is_ours) hold->lost_ = true;
        }
    }
}

/// Again at each look, for the order may come between two statements.
void PlanKeeper::interrupt() {
    for (const auto* const hold : holds_) {
        if (hold->reading_ != nullptr && hold->is_over()) hold->reading_->end();
    }
}

KeeperThread::KeeperThread(PlanKeeper& keeper, std::function<void()> beside)
    : keeper_{keeper}, beside_{std::move(beside)}, thread_{[this] { run(); }} {}

KeeperThread::~KeeperThread() {
    {
        const std::lock_guard guard{keeper_.mutex_};
        ended_ = true;
    }
    keeper_.changed_.notify_all();
    thread_.join();
}

void KeeperThread::pause(std::chrono::milliseconds wait) {
    const auto& clock = keeper_.clock_;
    const auto end = clock.steady_now() + wait;
    std::unique_lock lock{keeper_.mutex_};
    while (!keeper_.stopping_ && !ended_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock.steady_now());
        if (left.count() <= 0) return;
        keeper_.changed_.wait_for(lock, std::min(left, look_every));
    }
}

void KeeperThread::run() {
    std::unique_lock lock{keeper_.mutex_};
    while (!ended_) {
        if (keeper_.holds_.empty()) {
            keeper_.changed_.wait(lock);
            continue;
        }
        keeper_.changed_.wait_for(lock, std::min(keeper_.interval_, look_every));
        keeper_.look(lock);
        if (!beside_) continue;
        lock.unlock();
        beside_();
        lock.lock();
    }
}

}  // namespace fanfare
