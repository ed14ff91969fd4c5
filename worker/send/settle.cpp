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

bool says_something(const std::string& bytes) {
    return std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != '\0'; });
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
        chunk.outcomes[i] = static_cast<char>(fate.outcome);
        chunk.reasons[i] = static_cast<char>(fate.reason);
    }
}

bool is_settled(const ledger::ClaimedChunk& chunk) {
    return std::all_of(chunk.outcomes.begin(), chunk.outcomes.end(),
                       [](char c) { return is_final(static_cast<Outcome>(c)); });
}

bool is_in_doubt(const ledger::ClaimedChunk& chunk) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (is_final(static_cast<Outcome>(chunk.outcomes[i]))) continue;
        const auto reason = static_cast<Reason>(chunk.reasons[i]);
        if (reason == Reason::answer_lost || reason == Reason::answer_unreadable ||
            reason == Reason::worker_lost) {
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
    settle_rest(chunk, {Outcome::unknown, Reason::worker_lost});
    return true;
}

ledger::ChunkRecord record_of(ledger::ClaimedChunk& chunk, std::string account,
                              std::chrono::milliseconds next_in) {
    ledger::ChunkRecord record;
    record.key = chunk.key;
    record.epoch = chunk.epoch;
    record.done = is_settled(chunk);
    record.next_in = record.done ? std::chrono::milliseconds{0} : next_in;
    record.outcomes = chunk.outcomes;
    if (says_something(chunk.reasons)) record.reasons = chunk.reasons;
    if (says_something(chunk.attempts)) record.attempts = chunk.attempts;
    record.provider_ids = std::move(chunk.provider_ids);
    auto& ids = record.provider_ids;
    const auto first =
        std::find_if(ids.begin(), ids.end(), [](const auto& id) { return !id.empty(); });
    if (first == ids.end()) {
        ids.clear();
    } else if (std::all_of(ids.begin(), ids.end(),
                           [&](const auto& id) { return id.empty() || id == *first; })) {
        ids = {std::string{*first}};
    }
    record.account = std::move(account);
    return record;
}

}  // namespace fanfare
