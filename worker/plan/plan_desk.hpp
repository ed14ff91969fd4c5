#pragma once

#include "worker/plan/planner.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {

/// Plans jobs on threads of its own, urgent ones first; one thread takes nothing but urgent
/// ones, so that a giant audience never keeps an urgent job waiting.
///
/// Bounds    two threads; a job is queued once.
/// Stop      the destructor waits for the fetch in hand of each plan.
/// Threads   add() from any.
class PlanDesk {
public:
    PlanDesk(Planner& planner, std::atomic<bool>& stopping);
    ~PlanDesk();
    PlanDesk(const PlanDesk&) = delete;
    PlanDesk& operator=(const PlanDesk&) = delete;

    void add(const std::string& job, Lane lane);

private:
    void work(bool urgent_only);
    [[nodiscard]] std::string next(bool urgent_only);

    Planner& planner_;
    std::atomic<bool>& stopping_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::array<std::deque<std::string>, lane_count> queues_;
    std::set<std::string> known_;  // Queued or being planned.
    std::vector<std::thread> threads_;
};

}  // namespace fanfare
