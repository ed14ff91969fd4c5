#include "worker/send/settle.hpp"

#include "core/audience/channels.hpp"
#include "core/audience/exclusion.hpp"
#include "worker/send/next_move.hpp"
#include "worker/send/outcome_rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

namespace fanfare {

namespace {

constexpr std::chrono::seconds last_word{
    5};  // Twice as long as records are apart (chunk_batcher.cpp).

Fate fate_at(const ledger::ChunkPeople& people, std::size_t i) {
    return {static_cast<Outcome>(people.outcomes[i]), static_cast<Reason>(people.reasons[i]),
            static_cast<Reason>(people.causes[i])};
}

/// In a chunk, a mark or a record.
void put_fate(auto& word, std::size_t i, const Fate& fate) {
    word.outcomes[i] = static_cast<char>(fate.outcome);
    word.reasons[i] = static_cast<char>(fate.reason);
    word.causes[i] = static_cast<char>(fate.cause);
}

bool is_open(const ledger::ChunkPeople& people, std::size_t i) {
    return !is_final(static_cast<Outcome>(people.outcomes[i]));
}

/// Looks at people with several devices: told on one while another is open, they stay open.
void keep_devices_open(Recipients& people, Pass& pass) {
    const auto& targets = pass.resolved.targets;
    if (pass.target_fates.size() != targets.size()) return;
    std::vector<std::uint8_t> devices(pass.resolved.fates.size());
    for (const auto& target : targets) {
        auto& count = devices[target.recipient];
        if (count < 2) ++count;
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const auto& target = targets[i];
        if (devices[target.recipient] < 2) continue;
        auto& fate = pass.resolved.fates[target.recipient];
        if (is_final(pass.target_fates[i].outcome)) {
            people.served[target.recipient].emplace(target.address, pass.target_fates[i]);
            continue;
        }
        // Doubt about one of these devices stays with the account that caused it.
        const auto& known = pass.target_fates[i];
        const auto open =
            known.outcome == Outcome::pending ? Fate{Outcome::retry, Reason::not_sent} : known;
        if (fate.outcome == Outcome::sent) {
            people.told.insert(target.recipient);
            fate = open;
        } else if (people.told.contains(target.recipient)) {
            fate = merge(fate, open);
        }
    }
}

/// Counts the attempts that failed, and returns the most of anybody's.
std::int32_t count_attempts(Recipients& people, Pass& pass) {
    auto& spent = pass.spent;
    std::sort(spent.begin(), spent.end());
    spent.erase(std::unique(spent.begin(), spent.end()), spent.end());
    std::int32_t most = 0;
    for (const auto recipient : spent) {
        auto& attempts = people.attempts[recipient];
        most = std::max(most, static_cast<std::int32_t>(++attempts));
    }
    spent.clear();
    return most;
}

}  // namespace

void close_told(Recipients& people) {
    for (const auto recipient : people.told) {
        if (static_cast<Outcome>(people.outcomes[recipient]) == Outcome::sent) continue;
        put_fate(people, recipient, {Outcome::sent, Reason::none});
    }
    people.told.clear();
}

void leave_out_served(const Recipients& people, Resolved& resolved) {
    std::map<std::uint32_t, Fate> left_out;
    std::erase_if(resolved.targets, [&](const Target& target) {
        const auto person = people.served.find(target.recipient);
        if (person == people.served.end()) return false;
        const auto device = person->second.find(target.address);
        if (device == person->second.end()) return false;
        auto& fate = left_out[target.recipient];
        fate = merge(fate, device->second);
        return true;
    });
    for (const auto& target : resolved.targets) left_out.erase(target.recipient);
    for (const auto& [recipient, fate] : left_out) {
        resolved.fates[recipient] = merge(resolved.fates[recipient], fate);
    }
}

std::int32_t settle_pass(Recipients& people, Pass& pass) {
    keep_devices_open(people, pass);
    for (std::size_t i = 0; i < pass.resolved.fates.size(); ++i) {
        const auto& fate = pass.resolved.fates[i];
        if (fate.outcome == Outcome::pending || !is_open(people, i)) continue;
        const auto stands = follow(fate_at(people, i), fate);
        put_fate(people, i, stands);
        if (is_final(stands.outcome)) people.has_progressed = true;
    }
    return count_attempts(people, pass);
}

std::int32_t count_faults(Recipients& people, std::int32_t attempts_max) {
    std::int32_t most = 0;
    for (std::size_t i = 0; i < people.outcomes.size(); ++i) {
        const auto known = fate_at(people, i);
        if (!is_on_account(known)) continue;
        const std::int32_t used = static_cast<unsigned char>(++people.attempts[i]);
        put_fate(people, i, as_attempt(known, used, attempts_max));
        most = std::max(most, used);
    }
    if (most > 0) people.has_progressed = true;
    return most;
}

bool waits_for_account(const ledger::ChunkPeople& people) {
    for (std::size_t i = 0; i < people.outcomes.size(); ++i) {
        const auto known = fate_at(people, i);
        const bool refused = is_open(people, i) &&
                             static_cast<Reason>(people.reasons[i]) == Reason::account_unusable;
        if (refused || is_on_account(known)) return true;
    }
    return false;
}

void give_up(ledger::ChunkPeople& people, Reason why) {
    if (why != Reason::account_unusable) {
        settle_rest(people, {Outcome::failed, why});
        return;
    }
    for (std::size_t i = 0; i < people.outcomes.size(); ++i) {
        if (is_open(people, i)) put_fate(people, i, as_given_up(fate_at(people, i)));
    }
}

void settle_rest(ledger::ChunkPeople& people, Fate fate) {
    for (std::size_t i = 0; i < people.outcomes.size(); ++i) {
        const auto known = fate_at(people, i);
        if (is_final(known.outcome)) continue;
        auto stands = follow(known, fate);
        // What kept them waiting stays readable.
        if (stands.cause == Reason::none) stands.cause = known.reason;
        if (known.reason == Reason::not_configured) {
            stands = {fate.outcome, known.reason, fate.reason};
        }
        put_fate(people, i, stands);
    }
}

bool settle_over(ledger::ChunkPeople& people) {
    if (people.job_cancelled) {
        settle_rest(people, {Outcome::cancelled, Reason::job_cancelled});
    } else if (people.job_expired) {
        settle_rest(people, {Outcome::expired, Reason::past_expiry});
    }
    return people.job_cancelled || people.job_expired;
}

void wait_for_configuration(ledger::ChunkPeople& people) {
    for (std::size_t i = 0; i < people.outcomes.size(); ++i) {
        if (!is_open(people, i)) continue;
        put_fate(people, i, follow(fate_at(people, i), {Outcome::retry, Reason::not_configured}));
    }
}

bool is_settled(const ledger::ChunkPeople& people) {
    return std::all_of(people.outcomes.begin(), people.outcomes.end(),
                       [](char c) { return is_final(static_cast<Outcome>(c)); });
}

bool is_in_doubt(const ledger::ChunkPeople& people) {
    for (std::size_t i = 0; i < people.outcomes.size(); ++i) {
        if (is_open(people, i) && is_in_doubt(fate_at(people, i))) return true;
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

ledger::ChunkMark to_mark(const ledger::ChunkClaim& claim, const Recipients& people,
                          const std::vector<Fate>& fates, const DeviceCounts& devices) {
    ledger::ChunkMark mark;
    mark.key = claim.key;
    mark.epoch = claim.epoch;
    mark.outcomes = people.outcomes;
    mark.reasons = people.reasons;
    mark.causes = people.causes;
    mark.attempts = people.attempts;
    mark.suppressions = people.suppressions;
    mark.begun.assign(fates.size(), '\0');
    for (std::size_t i = 0; i < fates.size(); ++i) {
        if (devices.begun[i] > 0) mark.begun[i] = '\1';
        const auto& fate = fates[i];
        if (fate.outcome == Outcome::pending || !is_open(people, i)) continue;
        // Of one device nothing final follows for a person while another may still tell them.
        const bool stands = !is_final(fate.outcome) || is_told(fate.outcome) ||
                            fate.outcome == Outcome::unknown || devices.open_to[i] == 0;
        if (stands) put_fate(mark, i, follow(fate_at(people, i), fate));
    }
    for (const auto recipient : people.told) {
        put_fate(mark, recipient, {Outcome::sent, Reason::none});
    }
    return mark;
}

std::optional<ledger::FallbackChunk> to_fallback(const ledger::ChunkClaim& claim,
                                                 const ledger::ChunkPeople& people,
                                                 const JobContext& job,
                                                 const WorkerSettings& settings) {
    const auto to = turns_to(job.job, *job.kind, claim.key.channel);
    if (!to || people.job_cancelled || people.job_expired) return std::nullopt;
    const auto i = static_cast<std::size_t>(*to);
    ledger::FallbackChunk fallback{
        *to, job.kind->on_doubt[i].value_or(settings.channels[i].on_doubt), claim.lane, {}};
    for (std::size_t r = 0; r < people.outcomes.size(); ++r) {
        const auto outcome = static_cast<Outcome>(people.outcomes[r]);
        const auto reason = static_cast<Reason>(people.reasons[r]);
        if (is_unreachable(reason) && outcome != Outcome::unknown) {
            fallback.recipients.emplace_back(people.recipients.elements[r]);
        }
    }
    if (fallback.recipients.empty()) return std::nullopt;
    return fallback;
}

std::chrono::hours counted_window(const JobContext* job) {
    if (job == nullptr) return Cap::window_max;
    return job->kind->at_most ? job->kind->at_most->window : std::chrono::hours{0};
}

ledger::ChunkRecord to_record(const ledger::ChunkClaim& claim, ledger::ChunkPeople& people,
                              std::string account, std::chrono::milliseconds next_in) {
    ledger::ChunkRecord record;
    record.key = claim.key;
    record.epoch = claim.epoch;
    record.token = claim.token;
    record.done = is_settled(people);
    record.next_in = record.done ? std::chrono::milliseconds{0} : next_in;
    record.outcomes = people.outcomes;
    record.reasons = people.reasons;
    record.attempts = people.attempts;
    record.causes = people.causes;
    record.provider_ids = ledger::compact_ids(std::move(people.provider_ids));
    record.account = std::move(account);
    return record;
}

}  // namespace fanfare
