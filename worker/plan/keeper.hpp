#pragma once

#include "core/clock/clock.hpp"
#include "core/postgres/pool.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {

/// Keeps the plans in hand this worker's own while their queries run, however long these take:
/// makes their leases new, and ends the query of a plan that is lost (taken over, cancelled, over)
/// or whose worker stops.
///
/// Bounds    one statement a plan and beat; a beat is a fraction of the lease, at most 2 s.
/// Stop      set `stopping`: queries are ended within 100 ms; the destructor joins.
/// Threads   one of its own; Hold on any.
class PlanKeeper {
public:
    PlanKeeper(postgres::Pool& ledger, const Clock& clock, std::chrono::milliseconds lease,
               const std::atomic<bool>& stopping);
    ~PlanKeeper();
    PlanKeeper(const PlanKeeper&) = delete;
    PlanKeeper& operator=(const PlanKeeper&) = delete;

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
        postgres::Connection* reading_ = nullptr;  // Guarded by the keeper's mutex.
    };

    /// While it lives, what runs on `connection` ends when the plan is over. The connection is not
    /// to be used again then: the order to end may come late.
    class Reading {
    public:
        Reading(Hold& hold, postgres::Connection& connection);
        ~Reading();
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;

    private:
        Hold& hold_;
    };

    /// Lets time pass, at most until the worker stops.
    void pause(std::chrono::milliseconds wait);

private:
    void run();
    void beat(std::unique_lock<std::mutex>& lock);
    void interrupt();

    postgres::Pool& ledger_;
    const Clock& clock_;
    std::chrono::milliseconds lease_;
    std::chrono::milliseconds interval_;
    const std::atomic<bool>& stopping_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Hold*> holds_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace fanfare
