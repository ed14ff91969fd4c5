#pragma once

#include "producer/schedule/publisher.hpp"
#include "producer/schedule/refresh.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <vector>

namespace fanfare {

/// Finds what is due in every system, and publishes it on the minute.
///
///     due query -> notification (ledger) -> claim -> fanfare.jobs
///
/// Several may run side by side: refreshes exclude each other, claims skip each other.
///
/// Stop      stop() asks; join() returns when every thread is done. Due queries that run are
///           waited for (at most their statement_timeout).
/// Threads   one a system, so that a slow database delays nobody else's; one that publishes.
/// Lifetime  the ledger, systems, probe and publish function outlive it.
class Scheduler {
public:
    struct Parts {
        postgres::Pool& ledger;
        const Systems& systems;
        const Clock& clock;
        ScheduleProbe& probe;
        PublishJob publish;
        std::function<void()> turned;
    };
    Scheduler(Parts parts, const ProducerSettings& settings);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    void start();
    void stop();
    void join();

    [[nodiscard]] Publisher& publisher() noexcept { return publisher_; }
    /// When the publishing thread last turned; for the watchdog.
    [[nodiscard]] Moment last_turn() const noexcept { return last_turn_.load(); }
    /// "" when all due queries run, otherwise one that does not.
    [[nodiscard]] std::string trouble() const;

private:
    struct Watch;  // One system and what its thread needs.
    void watch(Watch& watch);
    [[nodiscard]] bool refresh(Watch& watch, Refresher& refresher, const Schedule& schedule);

    Parts parts_;
    ProducerSettings settings_;
    Alarm due_;
    std::vector<std::unique_ptr<Watch>> watches_;
    std::atomic<Moment> last_turn_;
    Publisher publisher_;
    std::thread publishing_;
};

}  // namespace fanfare
