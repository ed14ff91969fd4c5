#include "worker/send/settle.hpp"

#include "core/audience/channels.hpp"
#include "core/audience/exclusion.hpp"
#include "worker/send/next_move.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace fanfare {

namespace {

constexpr std::chrono::seconds last_word{
    5};  // Twice as long as records are apart (chunk_batcher.cpp).

Fate fate_at(const ledger::ClaimedChunk& chunk, std::size_t i) {
    return {static_cast<Outcome>(chunk.outcomes[i]), static_cast<Reason>(chunk.reasons[i]),
            static_cast<Reason>(chunk.causes[i])};
}

/// In a chunk, a mark or a record.
void put_fate(auto& word, std::size_t i, const Fate& fate) {
    word.outcomes[i] = static_cast<char>(fate.outcome);
    word.reasons[i] = static_cast<char>(fate.reason);
    word.causes[i] = static_cast<char>(fate.cause);
}

bool is_open(const ledger::ClaimedChunk& chunk, std::size_t i) {
    return !is_final(static_cast<Outcome>(chunk.outcomes[i]));
}

/// Looks at people with several devices: told on one while another is open, they stay open.
void keep_devices_open(ChunkInProgress& work) {
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
            // Doubt about this device stays with the account that caused it.
            const auto& open = work.target_fates[i];
            fate = open.outcome == Outcome::pending ? Fate{Outcome::retry, Reason::not_sent} : open;
        }
    }
}

/// Counts the attempts that failed, and returns the most of anybody's.
std::int32_t count_attempts(ChunkInProgress& work) {
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

void close_told(ChunkInProgress& work) {
    for (const auto recipient : work.told) {
        if (static_cast<Outcome>(work.chunk.outcomes[recipient]) == Outcome::sent) continue;
        put_fate(work.chunk, recipient, {Outcome::sent, Reason::none});
    }
    work.told.clear();
}

std::int32_t settle_pass(ChunkInProgress& work) {
    auto& chunk = work.chunk;
    keep_devices_open(work);
    for (std::size_t i = 0; i < work.resolved.fates.size(); ++i) {
        const auto& fate = work.resolved.fates[i];
        if (fate.outcome == Outcome::pending || !is_open(chunk, i)) continue;
        const auto stands = follow(fate_at(chunk, i), fate);
        put_fate(chunk, i, stands);
        if (is_final(stands.outcome)) work.progress = true;
    }
    return count_attempts(work);
}

std::int32_t count_faults(ChunkInProgress& work) {
    auto& chunk = work.chunk;
    std::int32_t most = 0;
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        const auto known = fate_at(chunk, i);
        if (!is_on_account(known)) continue;
        const std::int32_t used = ++chunk.attempts[i];
        put_fate(chunk, i, as_attempt(known, used, work.attempts_max));
        most = std::max(most, used);
    }
    if (most > 0) work.progress = true;
    return most;
}

bool waits_for_account(const ledger::ClaimedChunk& chunk) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        const auto known = fate_at(chunk, i);
        const bool refused =
            is_open(chunk, i) && static_cast<Reason>(chunk.reasons[i]) == Reason::account_unusable;
        if (refused || is_on_account(known)) return true;
    }
    return false;
}

void give_up(ledger::ClaimedChunk& chunk, Reason why) {
    if (why != Reason::account_unusable) {
        settle_rest(chunk, {Outcome::failed, why});
        return;
    }
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (is_open(chunk, i)) put_fate(chunk, i, as_given_up(fate_at(chunk, i)));
    }
}

void settle_rest(ledger::ClaimedChunk& chunk, Fate fate) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        const auto known = fate_at(chunk, i);
        if (is_final(known.outcome)) continue;
        auto stands = follow(known, fate);
        // What kept them waiting stays readable.
        if (stands.cause == Reason::none) stands.cause = known.reason;
        if (known.reason == Reason::not_configured) {
            stands = {fate.outcome, known.reason, fate.reason};
        }
        put_fate(chunk, i, stands);
    }
}

bool settle_over(ledger::ClaimedChunk& chunk) {
    if (chunk.job_cancelled) {
        settle_rest(chunk, {Outcome::cancelled, Reason::job_cancelled});
    } else if (chunk.job_expired) {
        settle_rest(chunk, {Outcome::expired, Reason::past_expiry});
    }
    return chunk.job_cancelled || chunk.job_expired;
}

void wait_for_configuration(ledger::ClaimedChunk& chunk) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (!is_open(chunk, i)) continue;
        put_fate(chunk, i, follow(fate_at(chunk, i), {Outcome::retry, Reason::not_configured}));
    }
}

bool is_settled(const ledger::ClaimedChunk& chunk) {
    return std::all_of(chunk.outcomes.begin(), chunk.outcomes.end(),
                       [](char c) { return is_final(static_cast<Outcome>(c)); });
}

bool is_in_doubt(const ledger::ClaimedChunk& chunk) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        if (is_open(chunk, i) && is_in_doubt(fate_at(chunk, i))) return true;
    }
    return false;
}

bool settle_stalled(ledger::ClaimedChunk& chunk) {
    for (std::size_t i = 0; i < chunk.outcomes.size(); ++i) {
        put_fate(chunk, i, after_loss(fate_at(chunk, i), chunk.begun[i] != '\0', chunk.on_doubt));
    }
    if (chunk.takeovers >= takeovers_max) settle_rest(chunk, {Outcome::failed, Reason::given_up});
    return is_settled(chunk);
}

std::chrono::milliseconds wait_of_stalled(const ledger::ClaimedChunk& chunk,
                                          const WorkerSettings& settings) {
    const Backoff backoff{settings.backoff_first, settings.backoff_max};
    // Each at a moment of its own: golden ratios fill an interval evenly.
    const auto jitter = std::fmod(static_cast<double>(chunk.key.number) * 0.6180339887, 1.0);
    const auto wait = wait_after(backoff, chunk.takeovers, jitter);
    if (chunk.begun.find('\1') == std::string::npos) return wait;
    return std::max(wait, std::min<std::chrono::milliseconds>(last_word, settings.lease));
}

ledger::ChunkMark mark_of(const ChunkInProgress& work, std::span<const std::uint16_t> begun,
                          std::span<const std::uint16_t> open_to) {
    const auto& chunk = work.chunk;
    ledger::ChunkMark mark;
    mark.key = chunk.key;
    mark.epoch = chunk.epoch;
    mark.outcomes = chunk.outcomes;
    mark.reasons = chunk.reasons;
    mark.causes = chunk.causes;
    mark.attempts = chunk.attempts;
    mark.begun.assign(begun.size(), '\0');
    for (std::size_t i = 0; i < begun.size(); ++i) {
        if (begun[i] > 0) mark.begun[i] = '\1';
        const auto& fate = work.resolved.fates[i];
        if (fate.outcome == Outcome::pending || !is_open(chunk, i)) continue;
        // Of one device nothing final follows for a person while another may still tell them.
        const bool stands = !is_final(fate.outcome) || is_told(fate.outcome) ||
                            fate.outcome == Outcome::unknown || open_to[i] == 0;
        if (stands) put_fate(mark, i, follow(fate_at(chunk, i), fate));
    }
    for (const auto recipient : work.told) {
        put_fate(mark, recipient, {Outcome::sent, Reason::none});
    }
    return mark;
}

std::optional<ledger::FallbackChunk> fallback_of(const ledger::ClaimedChunk& chunk,
                                                 const JobContext& job,
                                                 const WorkerSettings& settings) {
    const auto to = turns_to(job.job, *job.kind, chunk.key.channel);
    if (!to || chunk.job_cancelled || chunk.job_expired) return std::nullopt;
    const auto i = static_cast<std::size_t>(*to);
    ledger::FallbackChunk fallback{
        *to, job.kind->on_doubt[i].value_or(settings.channels[i].on_doubt), chunk.lane, {}};
    for (std::size_t r = 0; r < chunk.outcomes.size(); ++r) {
        const auto outcome = static_cast<Outcome>(chunk.outcomes[r]);
        const auto reason = static_cast<Reason>(chunk.reasons[r]);
        if (is_unreachable(reason) && outcome != Outcome::unknown) {
            fallback.recipients.emplace_back(chunk.recipients.elements[r]);
        }
    }
    if (fallback.recipients.empty()) return std::nullopt;
    return fallback;
}

std::chrono::hours counted_window(const JobContext* job) {
    if (job == nullptr) return Cap::window_max;
    return job->kind->at_most ? job->kind->at_most->window : std::chrono::hours{0};
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
