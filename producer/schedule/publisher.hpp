#pragma once

#include "core/async/wake_signal.hpp"
#include "core/clock/clock.hpp"
#include "core/ledger/notifications.hpp"
#include "core/observe/seldom.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"
#include "producer/schedule/failures.hpp"
#include "producer/schedule/probe.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// A job as it goes to the broker.
struct OutgoingJob {
    const std::string& id;
    std::string_view bytes;
    std::string_view trace = {};  // encode_trace(); "": one begins, where anybody wants spans ...
    std::optional<TimePoint> since = {};  // ... at this moment.
};

/// Hands one job to the broker; `acknowledged` is called once, from any thread, when the
/// broker has it or will not get it. False: not even queued, and no call will come.
using PublishJob =
    std::function<bool(const OutgoingJob& job, std::function<void(bool)> acknowledged)>;

/// Claims notifications that are due and publishes their jobs.
///
///     claim (lease, epoch) -> job -> broker -> acknowledged -> published, fenced by epoch
///
/// A claim whose record is on its way is renewed; one that failed stays until its lease ends
/// and is then anybody's. The job's id is derived: published twice it is one job.
///
/// Bounds    claims_max notifications a claim, in_flight_max on their way.
/// Stop      the waker's stop(): no more claims; run() returns when every record on its way
///           was reported, or after drain_max.
/// Threads   run() on one; acknowledgements from any.
/// Lifetime  outlives whatever calls the acknowledgements.
class Publisher {
public:
    static constexpr int claims_max = 500;
    static constexpr std::size_t in_flight_max = 5'000;

    struct Parts {
        postgres::Pool& ledger;
        const Systems& systems;
        const Clock& clock;
        ScheduleProbe& probe;
        WakeSignal& waker;  // Notified when something may be due sooner.
        PublishJob publish;
        std::function<void()> turned;  // Before every turn.
        /// Systems of which it is false are left alone; empty: none are.
        std::function<bool(const std::string& system)> is_known{};
        /// While it is false nothing is claimed: what is published too early cannot be taken back.
        /// Empty: the time is known.
        std::function<bool(postgres::Connection& ledger)> knows_the_time{};
    };
    struct Times {
        std::chrono::milliseconds lease{30'000};
        std::chrono::milliseconds poll_interval{1'000};
        std::chrono::milliseconds drain_max{10'000};
    };
    Publisher(Parts parts, Times times);

    void run();

    /// One turn: acknowledgements are recorded, due notifications claimed and handed over.
    /// Returns how long there is nothing to do.
    [[nodiscard]] std::chrono::microseconds turn();

    [[nodiscard]] std::size_t in_flight() const;
    [[nodiscard]] bool is_well() const noexcept { return failures_.times() == 0; }

private:
    [[nodiscard]] std::vector<std::string> served() const;
    [[nodiscard]] bool record();
    [[nodiscard]] bool renew();
    [[nodiscard]] bool may_be_due() const;
    [[nodiscard]] bool claim();
    [[nodiscard]] bool ask_what_is_next();
    void hand_over(const ledger::ClaimedNotification& notification,
                   std::vector<ledger::NotificationHold>& unusable);
    void acknowledged(const std::string& job, std::int32_t epoch, bool done);
    void count_waiting();
    void drain();
    bool failed(const Failure& failure);

    Parts parts_;
    Times times_;
    std::vector<std::string> systems_;
    mutable std::mutex mutex_;                                   // Guards the two below.
    std::map<std::string, ledger::NotificationHold> in_flight_;  // By job.
    std::vector<ledger::NotificationHold> acknowledged_;
    SteadyTime renewed_{};
    SteadyTime counted_{};
    std::optional<SteadyTime> asked_at_;                // What is next.
    std::optional<std::chrono::microseconds> next_in_;  // From then; nothing: nothing is.
    bool claimed_any_ = false;
    bool is_time_known_ = true;
    Failures failures_{parts_.clock};
    Seldom unusable_{"notifications make no job; mend their due query", parts_.clock};
};

}  // namespace fanfare
