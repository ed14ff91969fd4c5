#include "worker/send/settle.hpp"

#include <algorithm>
#include <cstdint>

namespace fanfare {

namespace {

/// Looks at people with several devices: told on one while another is open, they stay open.
void keep_devices_open(Work& work) {
    const auto& targets = work.resolved.targets;
    if (work.target_fates.size() != targets.size()) return;
    std::vector<std::uint8_t> devices(work.resolved.fates.size());
    for (const auto& target : targets) {
        auto& count = devices[target.recipient];
        if (count < 2) ++count;
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const auto& target = targets[i];
        if (devices[target.recipient] < 2) continue;
        auto& fate = work.resolved.fates[target.recipient];
        if (is_final(work.target_fates[i].outcome)) {
            work.served.emplace(target.address);
        } else if (fate.outcome == Outcome::sent) {
            work.told.insert(target.recipient);
            fate = {Outcome::retry, Reason::not_sent};
        }
    }
}

/// Counts the attempts that failed, and returns the most of anybody's.
std::int32_t count_attempts(Work& work) {
    auto& spent = work.spent;
    std::sort(spent.begin(), spent.end());
    spent.erase(std::unique(spent.begin(), spent.end()), spent.end());
    std::int32_t most = 0;
    for (const auto recipient : spent) {
        auto& attempts = work.chunk.attempts[recipient];
        most = std::max(most, static_cast<std::int32_t>(++attempts));
    }
    spent.clear();
    return most;
}

}  // namespace

void close_told(Work& work) {
    for (const auto recipient : work.told) {
        auto& outcome = work.chunk.outcomes[recipient];
        if (static_cast<Outcome>(outcome) == Outcome::sent) continue;
        outcome = static_cast<char>(Outcome::sent);
        work.chunk.reasons[recipient] = static_cast<char>(Reason::none);
    }
    work.told.clear();
}

std::int32_t settle_pass(Work& work) {
    auto& chunk = work.chunk;
    keep_devices_open(work);
    for (std::size_t i = 0; i < work.resolved.fates.size(); ++i) {
        const auto& fate = work.resolved.fates[i];
        if (fate.outcome == Outcome::pending || is_final(static_cast<Outcome>(chunk.outcomes[i]))) {
            continue;
        }
        chunk.outcomes[i] = static_cast<char>(fate.outcome);
        chunk.reasons[i] = static_cast<char>(fate.reason);
    }
    return count_attempts(work);
}

void settle_rest(ledger::ClaimedChunk& chunk, Fate fate) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (is_final(static_cast<Outcome>(chunk.outcomes[i]))) continue;
        const auto reason = static_cast<Reason>(chunk.reasons[i]);
        const auto cause = static_cast<Reason>(chunk.causes[i]);
        const bool doubt = ledger::is_doubt(reason) || ledger::is_doubt(cause);
        const auto stays = ledger::is_doubt(cause) && !ledger::is_doubt(reason) ? cause : reason;
        const bool kept = doubt || reason == Reason::not_configured;
        chunk.outcomes[i] = static_cast<char>(doubt ? Outcome::unknown : fate.outcome);
        chunk.reasons[i] = static_cast<char>(kept ? stays : fate.reason);
        chunk.causes[i] = static_cast<char>(kept ? fate.reason : reason);
    }
}

bool is_settled(const ledger::ClaimedChunk& chunk) {
    return std::all_of(chunk.outcomes.begin(), chunk.outcomes.end(),
                       [](char c) { return is_final(static_cast<Outcome>(c)); });
}

bool is_in_doubt(const ledger::ClaimedChunk& chunk) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (is_final(static_cast<Outcome>(chunk.outcomes[i]))) continue;
        if (ledger::is_doubt(static_cast<Reason>(chunk.reasons[i])) ||
            ledger::is_doubt(static_cast<Reason>(chunk.causes[i]))) {
            return true;
        }
    }
    return false;
}

bool settle_stalled(ledger::ClaimedChunk& chunk) {
    if (chunk.on_doubt == DoubtPolicy::resend) {
        // Nobody knows whom the lost worker reached: only its account may send again.
        for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
            if (is_final(static_cast<Outcome>(chunk.outcomes[i]))) continue;
            chunk.reasons[i] = static_cast<char>(Reason::worker_lost);
        }
        return is_settled(chunk);
    }
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (is_final(static_cast<Outcome>(chunk.outcomes[i]))) continue;
        chunk.outcomes[i] = static_cast<char>(Outcome::unknown);
        chunk.reasons[i] = static_cast<char>(Reason::worker_lost);
    }
    return true;
}

std::optional<ledger::FallbackChunk> fallback_of(const ledger::ClaimedChunk& chunk,
                                                 const JobContext& job,
                                                 const WorkerSettings& settings) {
    const auto to = job.kind->fallback[static_cast<std::size_t>(chunk.key.channel)];
    if (!to || chunk.job_cancelled || chunk.job_expired) return std::nullopt;
    const auto i = static_cast<std::size_t>(*to);
    ledger::FallbackChunk fallback{
        *to, job.kind->on_doubt[i].value_or(settings.channels[i].on_doubt), chunk.lane, {}};
    for (std::size_t r = 0; r < chunk.outcomes.size(); ++r) {
        const auto outcome = static_cast<Outcome>(chunk.outcomes[r]);
        const auto reason = static_cast<Reason>(chunk.reasons[r]);
        const bool unreachable = reason == Reason::address_missing ||
                                 reason == Reason::address_invalid ||
                                 reason == Reason::on_suppression_list;
        if (unreachable && outcome != Outcome::unknown) {
            fallback.recipients.emplace_back(chunk.recipients.elements[r]);
        }
    }
    if (fallback.recipients.empty()) return std::nullopt;
    return fallback;
}

ledger::ChunkRecord record_of(ledger::ClaimedChunk& chunk, std::string account,
                              std::chrono::milliseconds next_in) {
    ledger::ChunkRecord record;
    record.key = chunk.key;
    record.epoch = chunk.epoch;
    record.token = chunk.token;
    record.done = is_settled(chunk);
    record.next_in = record.done ? std::chrono::milliseconds{0} : next_in;
    record.outcomes = chunk.outcomes;
    record.reasons = chunk.reasons;
    record.attempts = chunk.attempts;
    record.causes = chunk.causes;
    record.provider_ids = ledger::compact_ids(std::move(chunk.provider_ids));
    record.account = std::move(account);
    return record;
}

}  // namespace fanfare
