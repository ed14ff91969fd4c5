#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {

/// Plans jobs on threads of its own, urgent ones first. A small job takes a dozen statements one
/// after the other, so several are planned at a time; one thread takes no bulk jobs and one nothing
/// but urgent ones, so that giant bulk audiences keep neither waiting. Where many wait a thread
/// takes several of a lane at once, which share their statements. What failed for now comes again
/// after its wait, and alone. Whoever plans a giant audience gives way to small jobs: however many
/// giants there are, these wait for a fetch and not for an audience. Where plans hear nothing from
/// their systems' databases, as many threads that else have no work take what has waited for
/// `patience`.
///
/// Bounds    a thread for each of last_lanes and reserve_max more; queue_max jobs a lane, each
///           once, and known_max with those that come again. What is beyond stays in the ledger,
///           and the sweeper brings it back.
/// Stop      stop(), or the destructor.
/// Threads   add() from any.
class PlanQueue {
public:
    static constexpr std::size_t queue_max = 10'000;
    static constexpr std::size_t known_max = queue_max * lane_count;  // With what comes again.
    /// Of each thread: the least urgent lane that it takes jobs of.
    static constexpr std::array last_lanes{Lane::bulk, Lane::bulk, Lane::normal, Lane::urgent};

    static constexpr std::size_t reserve_max = 6;  // For as many plans that are stuck.
    static constexpr std::chrono::milliseconds patience{1'000};

    static constexpr std::size_t together_max = 32;  // Jobs that a thread takes at once.
    static constexpr std::size_t apart_max = 8;      // Where no more wait, one by one.

    /// Plans jobs; of each that failed for now, in order, says after how long it is worth another
    /// try. Blocks; called on all threads.
    using Waits = std::vector<std::optional<std::chrono::milliseconds>>;
    using Plan = std::function<Waits(std::span<const std::string> jobs)>;

    /// `stuck`: how many plans are; on any thread, and under a lock. Null: nobody says so.
    PlanQueue(Plan plan, const Clock& clock, std::atomic<bool>& stopping,
              std::span<const Lane> threads = last_lanes, std::function<std::size_t()> stuck = {});
    ~PlanQueue();
    PlanQueue(const PlanQueue&) = delete;
    PlanQueue& operator=(const PlanQueue&) = delete;

    void add(const std::string& job, Lane lane);

    /// Waits for the fetch in hand of each plan; nothing is planned any more. Also twice.
    void stop();

    /// Has at most `most` of those planned that wait in `last` or in a more urgent lane, by `plan`,
    /// on the calling thread: one that plans a job of `last`. What comes back at once from that is
    /// left to the threads. Does nothing when `plan` calls it.
    void give_way(Lane last, const Plan& plan, std::size_t most);

    /// Wakes one of those in reserve where it is wanted. Somebody calls it as long as plans are
    /// made.
    void look();

private:
    struct Waiting {
        std::string job;
        bool is_alone = false;
        SteadyTime since{};  // Nothing: it has waited before.
    };
    struct Later {
        std::string job;
        Lane lane = Lane::normal;
    };
    struct Taken {
        std::vector<std::string> jobs;  // None: it is over.
        Lane lane = Lane::normal;
    };
    void work(Lane last);
    void work_in_reserve();
    [[nodiscard]] Taken next(Lane last);
    [[nodiscard]] Taken next_overdue();
    [[nodiscard]] std::optional<Lane> find_overdue() const;
    [[nodiscard]] static std::vector<std::string> take(std::deque<Waiting>& queue);
    [[nodiscard]] static std::vector<std::string> take_together(std::deque<Waiting>& queue,
                                                                std::size_t most);
    void put_back(Taken taken, const Waits& waits);
    void bring_back(SteadyTime now);

    Plan plan_;
    const Clock& clock_;
    std::atomic<bool>& stopping_;
    std::function<std::size_t()> stuck_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::condition_variable overdue_;  // For those in reserve.
    std::array<std::deque<Waiting>, lane_count> queues_;
    std::multimap<SteadyTime, Later> later_;
    std::set<std::string> known_;           // Queued, for later, or being planned.
    std::set<std::thread::id> giving_way_;  // Those that do.
    std::size_t reserves_at_work_ = 0;
    std::vector<std::thread> threads_;
};

}  // namespace fanfare
