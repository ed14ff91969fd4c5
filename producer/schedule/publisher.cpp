#include "producer/schedule/publisher.hpp"

#include "core/ledger/due_job.hpp"
#include "producer/schedule/wake.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace fanfare {
namespace {

using std::chrono::microseconds;
constexpr std::chrono::seconds count_interval{5};
// While the ledger's clock is in doubt: it has to be seen to stand.
constexpr std::chrono::milliseconds clock_look{1'000};
constexpr std::chrono::milliseconds drain_step{50};

Lane find_lane(const ledger::NotificationKey& key, const Systems& systems) {
    const auto system = systems.find(key.system);
    const auto* const kind = system == systems.end() ? nullptr : system->second.find_kind(key.kind);
    return kind == nullptr ? Lane::normal : kind->lane;
}

/// Of a backlog the urgent goes first, and of that what expires first.
void put_in_order(std::vector<ledger::ClaimedNotification>& claimed, const Systems& systems) {
    const auto rank = [&systems](const ledger::ClaimedNotification& notification) {
        const auto& expires = notification.expires_at;
        return std::tuple{find_lane(notification.key, systems), expires.empty(),
                          std::string_view{expires}};
    };
    std::stable_sort(claimed.begin(), claimed.end(),
                     [&rank](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

}  // namespace

Publisher::Publisher(Parts parts, Times times) : parts_{std::move(parts)}, times_{times} {
    for (const auto& [name, system] : parts_.systems) systems_.push_back(name);
}

void Publisher::run() {
    while (!parts_.waker.stopped()) {
        if (parts_.turned) parts_.turned();
        parts_.waker.wait(turn());
    }
    drain();
}

microseconds Publisher::turn() {
    claimed_any_ = false;
    unusable_.settle();
    const bool was_due = may_be_due();
    bool sound = record() && renew() && (!was_due || claim()) && ask_what_is_next();
    if (sound && !was_due && may_be_due()) sound = claim() && ask_what_is_next();
    if (sound) count_waiting();
    if (sound) failures_.succeeded();
    const bool may_claim = is_time_known_ && in_flight() < in_flight_max;
    return wait_before_next_turn({.next_due_in = may_claim ? next_in_ : std::nullopt,
                                  .poll_interval = is_time_known_
                                                       ? times_.poll_interval
                                                       : std::min(times_.poll_interval, clock_look),
                                  .renew_in = times_.lease / 3,
                                  .claimed_any = claimed_any_,
                                  .failures = failures_.times()});
}

/// As far as was known when it was asked last.
bool Publisher::may_be_due() const {
    return !asked_at_ || (next_in_ && *asked_at_ + *next_in_ <= parts_.clock.steady_now());
}

/// And what time it is in the ledger, which has to be seen to go on.
bool Publisher::ask_what_is_next() {
    auto ask = [this, systems = served()](postgres::Connection& ledger) {
        is_time_known_ = !parts_.knows_the_time || parts_.knows_the_time(ledger);
        return ledger::next_notification_in(ledger, systems);
    };
    const auto begun = parts_.clock.steady_now();
    auto asked = parts_.ledger.call("ask when the next notification is due", ask);
    if (!asked) return failed(asked.error());
    asked_at_ = begun;
    next_in_ = asked.value();
    return true;
}

std::vector<std::string> Publisher::served() const {
    if (!parts_.is_known) return systems_;
    std::vector<std::string> known;
    std::copy_if(systems_.begin(), systems_.end(), std::back_inserter(known), parts_.is_known);
    return known;
}

/// What the broker has is written down. Asked again after a fault: it is idempotent.
bool Publisher::record() {
    std::vector<ledger::NotificationHold> holds;
    {
        const std::lock_guard guard{mutex_};
        holds = acknowledged_;
    }
    if (holds.empty()) return true;
    auto mark = [&holds](postgres::Connection& ledger) {
        return ledger::mark_published(ledger, holds);
    };
    auto marked = parts_.ledger.call("mark notifications as published", mark);
    if (!marked) return failed(marked.error());
    for (const auto& notification : marked.value()) parts_.probe.published(notification);
    if (const auto fenced = holds.size() - marked.value().size(); fenced > 0) {
        spdlog::warn(
            "{} notifications were taken over by another producer before they were "
            "marked; their jobs are the same",
            fenced);
        parts_.probe.notifications("", "", "fenced", fenced);
    }
    const std::lock_guard guard{mutex_};
    acknowledged_.erase(acknowledged_.begin(),
                        acknowledged_.begin() + static_cast<std::ptrdiff_t>(holds.size()));
    return true;
}

bool Publisher::renew() {
    if (parts_.clock.steady_now() - renewed_ < times_.lease / 3) return true;
    renewed_ = parts_.clock.steady_now();
    std::vector<ledger::NotificationHold> holds;
    {
        const std::lock_guard guard{mutex_};
        for (const auto& [job, hold] : in_flight_) holds.push_back(hold);
    }
    if (holds.empty()) return true;
    auto lengthen = [&](postgres::Connection& ledger) {
        ledger::renew_notifications(ledger, holds, times_.lease);
    };
    auto renewed = parts_.ledger.call("renew the leases of notifications", lengthen);
    return renewed ? true : failed(renewed.error());
}

bool Publisher::claim() {
    if (in_flight() >= in_flight_max) return true;
    auto take = [this, systems = served()](postgres::Connection& ledger) {
        is_time_known_ = !parts_.knows_the_time || parts_.knows_the_time(ledger);
        if (!is_time_known_) return ledger::NotificationClaims{};
        return ledger::claim_notifications(ledger, systems, claims_max, times_.lease);
    };
    auto taken = parts_.ledger.call("claim due notifications", take);
    if (!taken) return failed(taken.error());
    auto& claims = taken.value();
    put_in_order(claims.claimed, parts_.systems);
    for (const auto& key : claims.expired) {
        spdlog::info("notification {} of {} expired before it was published",
                     derived_id(derivation_name(key)), key.kind);
        parts_.probe.notifications(key.system, key.kind, "expired", 1);
    }
    claimed_any_ = !claims.claimed.empty() || !claims.expired.empty();
    std::vector<ledger::NotificationHold> unusable;
    for (const auto& notification : claims.claimed) hand_over(notification, unusable);
    if (unusable.empty()) return true;
    auto give_back = [&](postgres::Connection& ledger) {
        ledger::give_back_notifications(ledger, unusable, times_.lease);
    };
    auto given = parts_.ledger.call("give notifications back", give_back);
    return given ? true : failed(given.error());
}

void Publisher::hand_over(const ledger::ClaimedNotification& notification,
                          std::vector<ledger::NotificationHold>& unusable) {
    const auto& key = notification.key;
    const auto made = due_job(notification, parts_.systems);
    if (const auto* const rejection = std::get_if<Rejection>(&made)) {
        unusable_.warn(fmt::format(
            "notification {} of {} makes no job: {}; mend config/systems/{}/system.yaml, it is "
            "tried again",
            derived_id(derivation_name(key)), key.kind, for_log(*rejection), key.system));
        parts_.probe.notifications(key.system, key.kind, "rejected", 1);
        unusable.push_back({key, notification.epoch});
        return;
    }
    const auto& job = std::get<Job>(made);
    {
        const std::lock_guard guard{mutex_};
        in_flight_[job.id] = {key, notification.epoch};
    }
    const auto bytes = encode_job(job);
    const bool queued = parts_.publish({.id = job.id, .bytes = bytes, .since = notification.due},
                                       [this, id = job.id, epoch = notification.epoch](bool done) {
                                           acknowledged(id, epoch, done);
                                       });
    if (!queued) acknowledged(job.id, notification.epoch, false);
}

void Publisher::acknowledged(const std::string& job, std::int32_t epoch, bool done) {
    {
        const std::lock_guard guard{mutex_};
        const auto found = in_flight_.find(job);
        if (found == in_flight_.end() || found->second.epoch != epoch) return;
        if (done) {
            acknowledged_.push_back(std::move(found->second));
        } else {
            spdlog::warn(
                "job {} did not reach the broker; it is published again when its lease "
                "ends",
                job);
            parts_.probe.notifications(found->second.key.system, found->second.key.kind, "failed",
                                       1);
        }
        in_flight_.erase(found);
    }
    parts_.waker.notify();
}

void Publisher::count_waiting() {
    if (parts_.clock.steady_now() - counted_ < count_interval && counted_ != SteadyTime{}) return;
    counted_ = parts_.clock.steady_now();
    auto count = [this](postgres::Connection& ledger) {
        return ledger::count_waiting(ledger, systems_);
    };
    if (auto counted = parts_.ledger.call("count waiting notifications", count)) {
        parts_.probe.waiting(counted.value());
    }
}

void Publisher::drain() {
    WakeSignal pause;  // The other one waits no more.
    const auto end = parts_.clock.steady_now() + times_.drain_max;
    while (in_flight() > 0 && parts_.clock.steady_now() < end) pause.wait(drain_step);
    if (!record()) pause.wait(drain_step);
    if (!record()) spdlog::warn("what the broker has is published again, as the same job");
    if (in_flight() > 0) {
        spdlog::warn("{} notifications were not acknowledged in time; their leases settle that",
                     in_flight());
    }
}

std::size_t Publisher::in_flight() const {
    const std::lock_guard guard{mutex_};
    return in_flight_.size();
}

bool Publisher::failed(const Failure& failure) {
    failures_.failed(failure);
    return false;
}

}  // namespace fanfare
