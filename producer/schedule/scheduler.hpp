#pragma once

#include "core/ledger/clock.hpp"
#include "producer/schedule/due_watch.hpp"
#include "producer/schedule/listener.hpp"
#include "producer/schedule/publisher.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <thread>
#include <vector>

namespace fanfare {

/// Finds what is due in every system, and publishes it on the minute.
///
///     due query -> notification (ledger) -> claim -> fanfare.jobs
///     outbox of a system                          -> fanfare.jobs
///     published, and no worker has taken it       -> fanfare.jobs, again
///     replays that the API took orders for        -> the ledger
///
/// A system's notifications are published once its due queries have run, so that what was cancelled
/// while no producer ran stays unpublished. Due queries and outboxes are polled, and run at once
/// when their database says so (NOTIFY).
///
/// While the clock of the ledger's database is in doubt (ledger::LedgerClock) nothing that a due
/// query finds is taken over and nothing is claimed: what is published too early, or cancelled as
/// past, could not be taken back.
///
/// Several may run side by side: refreshes exclude each other, claims skip each other.
///
/// Stop      stop() asks; join() returns when every thread is done. Due queries that run are
///           waited for (at most their statement_timeout).
/// Threads   one a system and one an outbox, so that a slow database delays nobody else's; one
///           that publishes, one that publishes again, one that replays; one a database that is
///           listened to.
/// Lifetime  the ledger, systems, probe and publish function outlive it.
class Scheduler {
public:
    struct Parts {
        postgres::Pool& ledger;
        const Systems& systems;
        const Clock& clock;
        ScheduleProbe& probe;
        PublishJob publish;
        Secret ledger_url;  // To listen to it, and for systems without a database of their own.
    };
    Scheduler(Parts parts, const ProducerSettings& settings);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    void start();
    void stop();
    void join();

    /// Something may be due sooner than was thought, or a replay was ordered. From any thread.
    void hurry() {
        due_.notify();
        ordered_.notify();
    }

    [[nodiscard]] Publisher& publisher() noexcept { return publisher_; }
    /// When the publishing thread last turned; for the watchdog.
    [[nodiscard]] SteadyTime last_turn() const noexcept { return last_turn_.load(); }
    /// "" when all due queries run and the time is known, otherwise what is wrong.
    [[nodiscard]] std::string trouble() const;
    /// By system: due_queries, and outbox where it has a database of its own.
    [[nodiscard]] std::vector<postgres::NamedPool> pools() const;

private:
    struct Watch;  // One system and what its threads need.
    [[nodiscard]] bool is_known(const std::string& system) const;
    void listen();
    void empty_outbox(Watch& watch);
    void publish_again();
    void replay();
    void watch(Watch& watch);
    enum class Look : std::uint8_t {
        done,
        failed,
        not_now,  // Another producer is at it, or the database's clock is in doubt.
    };
    [[nodiscard]] bool knows_the_time(postgres::Connection& ledger);
    /// Learns it: whether the ledger's clock can be gone by.
    [[nodiscard]] bool believes(const ledger::ClockReading& reading);
    [[nodiscard]] bool look_at_all(Watch& watch, std::span<DueWatch> all);
    void look_at_named(Watch& watch, std::span<DueWatch> all, const DueNames& names);
    [[nodiscard]] Look settle(Watch& watch, const DueWatch& due,
                              const Result<DueWatch::Look>& done);
    void report(Watch& watch, const Schedule& schedule, const RefreshReport& report, bool whole);

    Parts parts_;
    ProducerSettings settings_;
    ledger::LedgerClock time_{parts_.clock};
    WakeSignal due_;
    std::vector<std::unique_ptr<Watch>> watches_;
    std::atomic<SteadyTime> last_turn_;
    Publisher publisher_;
    std::thread publishing_;
    WakeSignal untaken_;
    std::thread republishing_;
    std::unique_ptr<postgres::Pool> replaying_pool_;  // A job of many people takes its time.
    WakeSignal ordered_;
    std::thread replaying_;
    std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace fanfare
