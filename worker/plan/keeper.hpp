#pragma once

#include "core/clock/clock.hpp"
#include "worker/plan/plan_store.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {

/// Keeps the plans in hand this worker's own while their queries run, however long these take:
/// makes their leases new, and ends the query of a plan that is lost (taken over, cancelled, over)
/// or whose worker stops. It does so in look(), which somebody calls: KeeperThread, or a test. To
/// end a query its server is asked, who may not answer: nobody else's lease waits for that.
///
/// Bounds    one statement a plan and beat; a beat is a fraction of the lease, at most 2 s.
/// Threads   look() on one at a time; Hold and Reading on any; one more for each query that is
///           being ended.
/// Lifetime  what it is given outlives it, and it outlives holds.
class PlanKeeper {
public:
    PlanKeeper(PlanStore& store, const Clock& clock, std::chrono::milliseconds lease,
               const std::atomic<bool>& stopping);
    PlanKeeper(const PlanKeeper&) = delete;
    PlanKeeper& operator=(const PlanKeeper&) = delete;

    class Reading;

    /// One plan in hand, as long as it lives.
    class Hold {
    public:
        Hold(PlanKeeper& keeper, std::string job, std::int32_t epoch);
        ~Hold();
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

        [[nodiscard]] bool is_lost() const noexcept { return lost_.load(); }
        void lose() noexcept { lost_ = true; }
        /// Nothing more is to be done for the plan: it is lost, or the worker stops.
        [[nodiscard]] bool is_over() const noexcept { return lost_ || keeper_.stopping_; }

    private:
        friend class PlanKeeper;
        PlanKeeper& keeper_;
        std::string job_;
        std::int32_t epoch_;
        std::atomic<bool> lost_{false};
        Reading* reading_ = nullptr;  // Guarded by the keeper's mutex.
    };

    /// While it lives, `end_query` is called when the plan is over: on a thread of its own, and
    /// again at each look that finds it done. A connection whose query it ends is not to be used
    /// again then: the order to end may come late. The destructor waits for a call that is under
    /// way.
    class Reading {
    public:
        Reading(Hold& hold, std::function<void()> end_query);
        ~Reading();
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;

    private:
        friend class PlanKeeper;
        void end();

        Hold& hold_;
        std::function<void()> end_query_;
        std::atomic<bool> is_ending_{false};
        std::thread ending_;  // Guarded by the keeper's mutex.
    };

    /// Makes leases new where that is due, and ends queries whose plan is over.
    void look();

private:
    friend class KeeperThread;
    void look(std::unique_lock<std::mutex>& lock);
    void beat(std::unique_lock<std::mutex>& lock);
    void interrupt();

    PlanStore& store_;
    const Clock& clock_;
    std::chrono::milliseconds lease_;
    std::chrono::milliseconds interval_;
    const std::atomic<bool>& stopping_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Hold*> holds_;
    SteadyTime next_{};  // When leases are made new.
};

/// The machine's time for a keeper and its planner.
///
/// Stop      the destructor joins.
/// Threads   one of its own, asleep while there are no plans; otherwise it looks ten times a
///           second.
/// Lifetime  the keeper outlives it.
class KeeperThread {
public:
    /// `beside` is called at each look, after it.
    explicit KeeperThread(PlanKeeper& keeper, std::function<void()> beside = {});
    ~KeeperThread();
    KeeperThread(const KeeperThread&) = delete;
    KeeperThread& operator=(const KeeperThread&) = delete;

    /// Lets time pass on the calling thread, at most until the worker stops.
    void pause(std::chrono::milliseconds wait);

private:
    void run();

    PlanKeeper& keeper_;
    std::function<void()> beside_;
    bool ended_ = false;  // Guarded by the keeper's mutex.
    std::thread thread_;
};

}  // namespace fanfare
