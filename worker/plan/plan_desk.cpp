#include "worker/plan/plan_desk.hpp"

namespace fanfare {

PlanDesk::PlanDesk(Planner& planner, std::atomic<bool>& stopping)
    : planner_{planner}, stopping_{stopping} {
    threads_.emplace_back([this] { work(false); });
    threads_.emplace_back([this] { work(true); });
}

PlanDesk::~PlanDesk() {
    {
        const std::lock_guard guard{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void PlanDesk::add(const std::string& job, Lane lane) {
    const std::lock_guard guard{mutex_};
    if (!known_.insert(job).second) return;
    queues_[static_cast<std::size_t>(lane)].push_back(job);
    changed_.notify_all();
}

std::string PlanDesk::next(bool urgent_only) {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        for (std::size_t lane = 0; lane < (urgent_only ? 1 : lane_count); ++lane) {
            if (queues_[lane].empty()) continue;
            auto job = std::move(queues_[lane].front());
            queues_[lane].pop_front();
            return job;
        }
        changed_.wait(lock);
    }
    return {};
}

void PlanDesk::work(bool urgent_only) {
    while (true) {
        const auto job = next(urgent_only);
        if (job.empty()) return;
        planner_.plan(job);
        const std::lock_guard guard{mutex_};
        known_.erase(job);
    }
}

}  // namespace fanfare
