#pragma once

// A queue of plans on threads of its own, with a planner that does what each test says.
#include "worker/plan/plan_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace fanfare::test {

using std::chrono::milliseconds;

/// The machine's time and a leap that a test may make; from any thread.
class LeapingClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return system_clock().now(); }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return system_clock().steady_now() + leap_.load();
    }
    void leap(milliseconds by) { leap_ = leap_.load() + by; }

private:
    std::atomic<milliseconds> leap_{milliseconds{0}};
};

/// Notes which jobs are planned, in what order; those that are held do not come to an end until
/// they are let go. Threads: any.
class FakePlanner {
public:
    PlanQueue::Waits plan(std::span<const std::string> jobs) {
        std::unique_lock lock{mutex_};
        together_.emplace_back(jobs.begin(), jobs.end());
        planned_.insert(planned_.end(), jobs.begin(), jobs.end());
        changed_.notify_all();
        PlanQueue::Waits waits;
        for (const auto& job : jobs) {
            changed_.wait(lock, [&] { return !held_.contains(job); });
            auto& again = waits.emplace_back();
            const auto wait = waits_.extract(job);
            if (!wait.empty()) again = wait.mapped();
        }
        return waits;
    }
    void hold(const std::string& job) {
        const std::lock_guard guard{mutex_};
        held_.insert(job);
    }
    void let_go(const std::string& job) {
        const std::lock_guard guard{mutex_};
        held_.erase(job);
        changed_.notify_all();
    }
    /// The next plan of `job` fails, and is worth another try after `wait`.
    void fails_once(const std::string& job, milliseconds wait) {
        const std::lock_guard guard{mutex_};
        waits_[job] = wait;
    }
    /// Waits until `job` has been begun `times` times.
    void await(const std::string& job, std::ptrdiff_t times = 1) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return count(job) >= times; });
    }
    void await_all(std::size_t plans) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return planned_.size() >= plans; });
    }
    [[nodiscard]] std::vector<std::string> planned() {
        const std::lock_guard guard{mutex_};
        return planned_;
    }

    [[nodiscard]] std::vector<std::vector<std::string>> together() {
        const std::lock_guard guard{mutex_};
        return together_;
    }

private:
    [[nodiscard]] std::ptrdiff_t count(const std::string& job) const {
        return std::count(planned_.begin(), planned_.end(), job);
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> planned_;
    std::vector<std::vector<std::string>> together_;
    std::set<std::string> held_;
    std::map<std::string, milliseconds> waits_;
};

class PlanQueueTest : public ::testing::Test {
protected:
    PlanQueueTest() { open(two_threads); }

    /// Begins anew, with a thread for each of `threads`.
    void open(std::span<const Lane> threads) {
        queue.reset();  // Which also stops.
        stopping = false;
        queue.emplace([this](std::span<const std::string> jobs) { return planner.plan(jobs); },
                      clock, stopping, threads, [this] { return stuck.load(); });
    }
    /// Both threads are busy, with one job each.
    void occupy() {
        planner.hold("slow");
        planner.hold("slow and urgent");
        queue->add("slow", Lane::normal);
        planner.await("slow");
        queue->add("slow and urgent", Lane::urgent);
        planner.await("slow and urgent");
    }
    /// What was planned since occupy().
    std::vector<std::string> rest() {
        auto jobs = planner.planned();
        jobs.erase(jobs.begin(), jobs.begin() + 2);
        return jobs;
    }

    static constexpr std::array two_threads{Lane::bulk, Lane::urgent};
    LeapingClock clock;
    std::atomic<bool> stopping{false};
    std::atomic<std::size_t> stuck{0};
    FakePlanner planner;
    std::optional<PlanQueue> queue;
};

}  // namespace fanfare::test
