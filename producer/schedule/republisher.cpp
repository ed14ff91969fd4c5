#include "producer/schedule/republisher.hpp"

#include "core/observe/log.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace fanfare {

Republisher::Republisher(Parts parts, ledger::UntakenTimes times)
    : parts_{std::move(parts)}, times_{times} {
    for (const auto& [name, system] : parts_.systems) systems_.push_back(name);
}

Result<bool> Republisher::turn() {
    const auto notifications = look_at_notifications();
    if (!notifications) return notifications.error();
    tell(notifications.value(), "notification");
    if (notifications.value().lost > 0) parts_.due();
    const auto requests = look_at_requests();
    if (!requests) return requests.error();
    tell(requests.value(), "order");
    if (auto published = publish_requests(); !published) return published.error();
    return notifications.value().looked_at() == rows_max ||
           requests.value().looked_at() == rows_max;
}

Result<ledger::UntakenTally> Republisher::look_at_notifications() {
    auto look = [this](postgres::Connection& ledger) {
        return ledger::settle_notifications(ledger, systems_, times_, rows_max);
    };
    return parts_.ledger.call("look for notifications that no worker has taken", look);
}

Result<ledger::UntakenTally> Republisher::look_at_requests() {
    auto look = [this](postgres::Connection& ledger) {
        ledger::forget_absent(ledger, times_);
        return ledger::settle_requests(ledger, times_, rows_max);
    };
    return parts_.ledger.call("look for orders that no worker has taken", look);
}

Result<void> Republisher::publish_requests() {
    for (int left = rows_max; left > 0; left -= bodies_max) {
        auto take = [this](postgres::Connection& ledger) {
            return ledger::lost_requests(ledger, times_, bodies_max);
        };
        const auto lost = parts_.ledger.call("take orders to publish them again", take);
        if (!lost) return lost.error();
        for (const auto& job : lost.value()) {
            const LogTrace about{job.trace};
            spdlog::warn("job {}: no worker has taken it: published again", job.id);
            // What does not reach the broker is lost once more, and found again.
            const OutgoingJob again{.id = job.id, .bytes = job.body, .trace = job.trace};
            if (!parts_.publish(again, [](bool) {})) return {};
        }
        parts_.probe.notifications("", "", "republished", lost.value().size());
        if (lost.value().size() < bodies_max) break;
    }
    return {};
}

void Republisher::tell(const ledger::UntakenTally& tally, const char* source) {
    for (const auto& job : tally.refused) {
        spdlog::error("job {} of a published {} was refused", job, source);
    }
    for (const auto& job : tally.given_up) {
        spdlog::error("job {} of a published {}: no worker has taken it; given up", job, source);
    }
    if (tally.lost > 0) {
        spdlog::warn("{} published notifications: no worker has taken them; published again",
                     tally.lost);
    }
    parts_.probe.notifications("", "", "republished", tally.lost);
    parts_.probe.notifications("", "", "refused", tally.refused.size());
    parts_.probe.notifications("", "", "given_up", tally.given_up.size());
}

}  // namespace fanfare
