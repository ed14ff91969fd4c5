#pragma once

#include "worker/plan/plan_queue.hpp"
#include "worker/plan/planner.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <utility>

namespace fanfare {

/// The planner on the machine's time: with the threads that it plans on, and the one that keeps its
/// plans.
///
/// Stop      the destructor waits for the fetch in hand of each plan.
/// Threads   as PlanQueue and KeeperThread; all calls from any.
/// Lifetime  everything in Parts outlives it.
class Planning {
public:
    struct Parts {
        PlanStore& store;
        AudienceSource& audiences;
        Descriptors& descriptors;
        const Clock& clock;
        WorkerProbe& probe;
        std::atomic<bool>& stopping;
        std::function<double()> jitter;  // Uniform in [0, 1); from any thread.
        Tracer* tracer = nullptr;        // Null: nobody wants spans.
    };
    Planning(const Parts& parts, const WorkerSettings& settings, Planner::Sizes sizes)
        : planner_{{parts.store, parts.audiences, parts.descriptors, parts.clock, parts.probe,
                    parts.stopping, [this](auto wait) { keeper_.pause(wait); }, parts.jitter,
                    parts.tracer, [this](Lane lane) { give_way(lane); }},
                   settings,
                   sizes},
          queue_{[this](std::span<const std::string> jobs) { return planner_.plan_together(jobs); },
                 parts.clock, parts.stopping, PlanQueue::last_lanes,
                 [this] { return planner_.stuck(); }},
          keeper_{planner_.keeper(), [this] { queue_.look(); }} {}
    /// The keeper ends what the queue waits for, and looks at the queue: both go on until here.
    ~Planning() { queue_.stop(); }
    Planning(const Planning&) = delete;
    Planning& operator=(const Planning&) = delete;

    /// As PlanQueue::add().
    void add(const std::string& job, Lane lane) { queue_.add(job, lane); }
    /// As Planner::was_checked().
    void was_checked(const std::string& job) { planner_.was_checked(job); }

private:
    void give_way(Lane lane) {
        queue_.give_way(
            lane, [this](std::span<const std::string> jobs) { return planner_.plan_beside(jobs); },
            Planner::beside_max);
    }

    Planner planner_;
    PlanQueue queue_;
    KeeperThread keeper_;
};

}  // namespace fanfare
