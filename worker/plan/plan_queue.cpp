#include "worker/plan/plan_queue.hpp"

#include <utility>

namespace fanfare {

PlanQueue::PlanQueue(Plan plan, const Clock& clock, std::atomic<bool>& stopping,
                     std::span<const Lane> threads)
    : plan_{std::move(plan)}, clock_{clock}, stopping_{stopping} {
    for (const auto last : threads) threads_.emplace_back([this, last] { work(last); });
}

PlanQueue::~PlanQueue() {
    {
        const std::lock_guard guard{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void PlanQueue::add(const std::string& job, Lane lane) {
    const std::lock_guard guard{mutex_};
    auto& queue = queues_[static_cast<std::size_t>(lane)];
    if (queue.size() >= queue_max || !known_.insert(job).second) return;
    queue.push_back(job);
    changed_.notify_all();
}

/// Puts those into their queues whose wait is over.
void PlanQueue::bring_back(SteadyTime now) {
    while (!later_.empty() && later_.begin()->first <= now) {
        auto& place = later_.begin()->second;
        queues_[static_cast<std::size_t>(place.lane)].push_back(std::move(place.job));
        later_.erase(later_.begin());
        changed_.notify_all();
    }
}

PlanQueue::Place PlanQueue::next(Lane last) {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        bring_back(clock_.steady_now());
        for (const auto lane : lanes) {
            if (lane > last) break;
            auto& queue = queues_[static_cast<std::size_t>(lane)];
            if (queue.empty()) continue;
            Place place{std::move(queue.front()), lane};
            queue.pop_front();
            return place;
        }
        if (later_.empty()) {
            changed_.wait(lock);
        } else {
            // A copy: whoever brings that one back meanwhile takes its moment away.
            const SteadyTime until = later_.begin()->first;
            changed_.wait_until(lock, until);
        }
    }
    return {};
}

void PlanQueue::work(Lane last) {
    while (true) {
        auto place = next(last);
        if (place.job.empty()) return;
        const auto again = plan_(place.job);
        const std::lock_guard guard{mutex_};
        if (again) {
            later_.emplace(clock_.steady_now() + *again, std::move(place));
            changed_.notify_all();
        } else {
            known_.erase(place.job);
        }
    }
}

}  // namespace fanfare
