#include "worker/plan/plan_queue.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace fanfare {

PlanQueue::PlanQueue(Plan plan, const Clock& clock, std::atomic<bool>& stopping,
                     std::span<const Lane> threads, std::function<std::size_t()> stuck)
    : plan_{std::move(plan)}, clock_{clock}, stopping_{stopping}, stuck_{std::move(stuck)} {
    for (const auto last : threads) threads_.emplace_back([this, last] { work(last); });
    if (!stuck_) return;
    for (std::size_t i = 0; i < reserve_max; ++i)
        threads_.emplace_back([this] { work_in_reserve(); });
}

PlanQueue::~PlanQueue() { stop(); }

void PlanQueue::stop() {
    {
        const std::lock_guard guard{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    overdue_.notify_all();
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

void PlanQueue::add(const std::string& job, Lane lane) {
    const std::lock_guard guard{mutex_};
    auto& queue = queues_[static_cast<std::size_t>(lane)];
    if (queue.size() >= queue_max || known_.size() >= known_max) return;
    if (!known_.insert(job).second) return;
    queue.push_back({job, false, clock_.steady_now()});
    changed_.notify_all();
}

/// Puts those into their queues whose wait is over.
void PlanQueue::bring_back(SteadyTime now) {
    while (!later_.empty() && later_.begin()->first <= now) {
        auto& later = later_.begin()->second;
        queues_[static_cast<std::size_t>(later.lane)].push_back({std::move(later.job), true, now});
        later_.erase(later_.begin());
        changed_.notify_all();
    }
}

/// The first of a queue that is not empty, and as many after it as are its share.
std::vector<std::string> PlanQueue::take(std::deque<Waiting>& queue) {
    const auto share = queue.front().is_alone || queue.size() <= apart_max
                           ? 1
                           : std::min(together_max, queue.size() / 4 + 1);
    std::vector<std::string> jobs;
    do {
        jobs.push_back(std::move(queue.front().job));
        queue.pop_front();
    } while (jobs.size() < share && !queue.empty() && !queue.front().is_alone);
    return jobs;
}

/// The first ones of those that need not be planned alone.
std::vector<std::string> PlanQueue::take_together(std::deque<Waiting>& queue, std::size_t most) {
    std::vector<std::string> jobs;
    std::erase_if(queue, [&](Waiting& waiting) {
        if (waiting.is_alone || jobs.size() == most) return false;
        jobs.push_back(std::move(waiting.job));
        return true;
    });
    return jobs;
}

PlanQueue::Taken PlanQueue::next(Lane last) {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        bring_back(clock_.steady_now());
        for (const auto lane : lanes) {
            if (lane > last) break;
            auto& queue = queues_[static_cast<std::size_t>(lane)];
            if (!queue.empty()) return {take(queue), lane};
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

/// The first lane whose first job has waited for too long, where a plan is stuck for which nobody
/// stands in yet.
std::optional<Lane> PlanQueue::find_overdue() const {
    if (reserves_at_work_ >= stuck_()) return std::nullopt;
    const auto now = clock_.steady_now();
    for (const auto lane : lanes) {
        const auto& queue = queues_[static_cast<std::size_t>(lane)];
        if (!queue.empty() && now - queue.front().since >= patience) return lane;
    }
    return std::nullopt;
}

void PlanQueue::look() {
    const std::lock_guard guard{mutex_};
    if (!stuck_) return;
    bring_back(clock_.steady_now());
    if (find_overdue()) overdue_.notify_one();
}

PlanQueue::Taken PlanQueue::next_overdue() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        if (const auto lane = find_overdue()) {
            ++reserves_at_work_;
            return {take(queues_[static_cast<std::size_t>(*lane)]), *lane};
        }
        overdue_.wait(lock);
    }
    return {};
}

void PlanQueue::work_in_reserve() {
    while (true) {
        auto taken = next_overdue();
        if (taken.jobs.empty()) return;
        const auto waits = plan_(taken.jobs);
        put_back(std::move(taken), waits);
        const std::lock_guard guard{mutex_};
        --reserves_at_work_;
    }
}

void PlanQueue::work(Lane last) {
    while (true) {
        auto taken = next(last);
        if (taken.jobs.empty()) return;
        const auto waits = plan_(taken.jobs);
        put_back(std::move(taken), waits);
    }
}

void PlanQueue::put_back(Taken taken, const Waits& waits) {
    auto& [jobs, lane] = taken;
    const std::lock_guard guard{mutex_};
    for (std::size_t i = jobs.size(); i-- > 0;) {
        if (!waits[i]) {
            known_.erase(jobs[i]);
        } else if (waits[i]->count() == 0) {  // It keeps its place, before all others.
            queues_[static_cast<std::size_t>(lane)].push_front({std::move(jobs[i]), true});
            changed_.notify_all();
        } else {
            later_.emplace(clock_.steady_now() + *waits[i], Later{std::move(jobs[i]), lane});
            changed_.notify_all();
        }
    }
}

void PlanQueue::give_way(Lane last, const Plan& plan, std::size_t most) {
    const auto self = std::this_thread::get_id();
    Taken taken;
    {
        const std::lock_guard guard{mutex_};
        if (stopping_ || giving_way_.contains(self)) return;
        for (const auto lane : lanes) {
            if (lane > last || !taken.jobs.empty()) break;
            taken = {take_together(queues_[static_cast<std::size_t>(lane)], most), lane};
        }
        if (taken.jobs.empty()) return;
        giving_way_.insert(self);
    }
    Waits waits(taken.jobs.size(), std::chrono::milliseconds{0});  // What throws planned nothing.
    std::exception_ptr fault;
    try {
        waits = plan(taken.jobs);
    } catch (...) {
        fault = std::current_exception();
    }
    put_back(std::move(taken), waits);
    {
        const std::lock_guard guard{mutex_};
        giving_way_.erase(self);
    }
    if (fault) std::rethrow_exception(fault);
}

}  // namespace fanfare
