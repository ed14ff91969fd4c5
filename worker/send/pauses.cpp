#include "worker/send/pauses.hpp"

#include <utility>

namespace fanfare {

bool Pauses::learn(std::vector<ledger::PauseTarget> now) {
    std::set<ledger::PauseTarget> targets{std::make_move_iterator(now.begin()),
                                          std::make_move_iterator(now.end())};
    if (targets == targets_) return false;
    targets_ = std::move(targets);
    return true;
}

bool Pauses::holds(Channel channel) const {
    return !empty() && has(ledger::Paused::channel, std::string{to_string(channel)});
}

bool Pauses::holds(Channel channel, const std::string& account) const {
    return !empty() && (holds(channel) || has(ledger::Paused::account, account));
}

bool Pauses::holds_job(const std::string& job, const std::string& kind) const {
    return !empty() && (has(ledger::Paused::job, job) || has(ledger::Paused::kind, kind));
}

bool holds_back(const Pauses& pauses, const Claim& claim) {
    if (pauses.empty() || !claim.job) return false;
    const Job& job = claim.job->job;
    return pauses.holds_job(claim.key.job, job.system + "/" + job.kind);
}

}  // namespace fanfare
