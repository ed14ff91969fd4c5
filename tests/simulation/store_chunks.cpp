// Who may send to whom: claims, takeovers, and what is overdue.
#include "core/domain/doubt.hpp"
#include "core/postgres/connection.hpp"
#include "tests/simulation/store_model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::simulation {
namespace {

bool has_doubt(const StoreModel::Chunk& chunk) {
    const auto is_doubtful = [](char c) { return is_doubt(static_cast<Reason>(c)); };
    return std::any_of(chunk.reasons.begin(), chunk.reasons.end(), is_doubtful) ||
           std::any_of(chunk.causes.begin(), chunk.causes.end(), is_doubtful);
}

}  // namespace

void StoreModel::add(ledger::ChunkKey key, std::vector<std::string> recipients,
                     DoubtPolicy on_doubt, std::chrono::milliseconds publish_after) {
    Chunk chunk;
    chunk.key = key;
    chunk.on_doubt = on_doubt;
    const auto count = recipients.size();
    for (auto* const bytes : {&chunk.outcomes, &chunk.reasons, &chunk.attempts, &chunk.causes,
                              &chunk.begun, &chunk.truly_begun}) {
        bytes->assign(count, '\0');
    }
    chunk.ids.resize(count);
    chunk.recipients = std::move(recipients);
    chunk.next_at = chunk.updated_at = now();
    chunk.due_at = truth_.steady_now();
    chunk.publish_at = now() + publish_after;
    story_.tell("chunk {}/{} is planned: {}", key.job, key.number,
                fmt::join(chunk.recipients, " "));
    chunks_.emplace(std::move(key), std::move(chunk));
}

ledger::ClaimedChunk StoreModel::hand_out(Chunk& chunk) {
    if (chunk.epoch <= chunk.highest_epoch) {
        breaks(fmt::format("chunk {}/{} was given out twice with epoch {}", chunk.key.job,
                           chunk.key.number, chunk.epoch));
    }
    chunk.highest_epoch = chunk.epoch;
    ledger::ClaimedChunk claimed;
    claimed.key = chunk.key;
    claimed.epoch = chunk.epoch;
    claimed.token = chunk.token;
    claimed.on_doubt = chunk.on_doubt;
    claimed.takeovers = chunk.takeovers;
    claimed.failures = chunk.failures;
    claimed.account = chunk.account;
    claimed.recipients_literal = fmt::format("{{{}}}", fmt::join(chunk.recipients, ","));
    postgres::parse_array(claimed.recipients_literal, claimed.recipients);
    claimed.outcomes = chunk.outcomes;
    claimed.reasons = chunk.reasons;
    claimed.attempts = chunk.attempts;
    claimed.causes = chunk.causes;
    claimed.begun = chunk.begun;
    claimed.provider_ids = chunk.ids;
    if (const auto* const job = find_job(chunk.key.job)) {
        claimed.job_cancelled = job->cancelled_at.has_value();
        claimed.job_expired = is_expired(*job);
    }
    return claimed;
}

bool StoreModel::may_claim(const Chunk& chunk, std::int64_t token) const {
    if (chunk.state == State::done) return false;
    if (chunk.state == State::claimed) {
        return plant_ == Plant::claims_claimed || (token != 0 && chunk.token == token);
    }
    const bool is_due = plant_ == Plant::claim_too_early || chunk.next_at <= now();
    const bool held = plant_ != Plant::claim_ignores_hold && is_held(chunk.key.job);
    return is_due && !held;
}

std::vector<ledger::ClaimedChunk> StoreModel::claim(std::span<const ledger::ClaimRequest> requests,
                                                    std::chrono::milliseconds lease,
                                                    std::int64_t token, TimePoint believed) {
    std::vector<ledger::ClaimedChunk> claimed;
    if (plant_ != Plant::claims_by_any_clock && !shows(believed)) return claimed;
    const auto at = now();
    for (const auto& request : requests) {
        const auto found = chunks_.find(request.key);
        if (found == chunks_.end()) continue;  // A descriptor of what nobody planned.
        auto& chunk = found->second;
        if (!may_claim(chunk, token)) continue;
        const bool is_repeat = chunk.state == State::claimed && chunk.token == token;
        if (!is_repeat && !moved_at_ && chunk.due_at > at) {
            breaks("a chunk was claimed before its time");
        }
        const auto count = chunk.recipients.size();
        ++chunk.epoch;
        chunk.token = token;
        if (!is_repeat) {
            chunk.truly_begun.assign(count, '\0');
            chunk.begun.assign(count, '\0');
        }
        chunk.state = State::claimed;
        chunk.lease_until = at + (plant_ == Plant::lease_too_short ? lease / 8 : lease);
        chunk.truly_until = truth_.steady_now() + lease;
        const bool is_bound = has_doubt(chunk) && plant_ != Plant::claim_moves_doubt;
        if (!is_bound || chunk.account.empty()) chunk.account = request.account;
        claimed.push_back(hand_out(chunk));
        story_.tell("chunk {}/{} is claimed for {}, epoch {}", chunk.key.job, chunk.key.number,
                    chunk.account, chunk.epoch);
    }
    return claimed;
}

std::vector<ledger::ClaimedChunk> StoreModel::take_over(std::size_t limit,
                                                        std::chrono::milliseconds lease,
                                                        TimePoint believed) {
    if (plant_ != Plant::takes_over_by_any_clock && !shows(believed)) return {};
    std::vector<Chunk*> stalled;
    const auto at = now();
    for (auto& [key, chunk] : chunks_) {
        if (chunk.state != State::claimed) continue;
        const bool is_over = plant_ == Plant::takes_the_living || chunk.lease_until < at;
        if (is_over) stalled.push_back(&chunk);
    }
    std::stable_sort(stalled.begin(), stalled.end(),
                     [](const auto* a, const auto* b) { return a->lease_until < b->lease_until; });
    if (stalled.size() > limit) stalled.resize(limit);
    std::vector<ledger::ClaimedChunk> taken;
    for (auto* const chunk : stalled) {
        if (!leases_doubted_ && truth_.steady_now() < chunk->truly_until) {
            breaks(fmt::format("chunk {}/{} was taken over before its lease had ended",
                               chunk->key.job, chunk->key.number));
        }
        if (plant_ != Plant::takeover_keeps_epoch) ++chunk->epoch;
        chunk->takeovers = std::min(chunk->takeovers + 1, 1'000);
        chunk->lease_until = at + lease;
        chunk->truly_until = truth_.steady_now() + lease;
        if (plant_ == Plant::forgets_mark) chunk->begun.assign(chunk->recipients.size(), '\0');
        taken.push_back(hand_out(*chunk));
        story_.tell("chunk {}/{} is taken over, epoch {}", chunk->key.job, chunk->key.number,
                    chunk->epoch);
    }
    return taken;
}

std::vector<ledger::ClaimedChunk> StoreModel::claim_ended(std::size_t limit,
                                                          std::chrono::milliseconds lease) {
    std::vector<ledger::ClaimedChunk> ended;
    for (auto& [key, chunk] : chunks_) {
        const auto* const job = find_job(key.job);
        if (job == nullptr || !(job->cancelled_at || is_expired(*job))) continue;
        const bool waits = chunk.state == State::planned ||
                           (chunk.state == State::claimed && plant_ == Plant::ended_takes_claimed);
        if (!waits) continue;
        if (ended.size() == limit) break;
        ++chunk.epoch;
        chunk.state = State::claimed;
        chunk.begun.assign(chunk.recipients.size(), '\0');
        if (plant_ != Plant::ended_takes_claimed) chunk.truly_begun = chunk.begun;
        chunk.lease_until = now() + lease;
        ended.push_back(hand_out(chunk));
        story_.tell("chunk {}/{} is claimed because its job is over", key.job, key.number);
    }
    return ended;
}

std::vector<ledger::Overdue> StoreModel::take_overdue(std::span<const ledger::Room> rooms,
                                                      std::chrono::milliseconds again_after) {
    std::vector<ledger::Overdue> overdue;
    if (plant_ == Plant::sweeps_nothing) return overdue;
    const auto at = now();
    for (const auto& room : rooms) {
        auto left = room.chunks;
        if (room.lane != Lane::normal) continue;
        for (auto& [key, chunk] : chunks_) {
            const bool is_due =
                chunk.state == State::planned && chunk.publish_at <= at && chunk.next_at <= at;
            if (left == 0 || !is_due || key.channel != room.channel || is_held(key.job)) continue;
            chunk.publish_at = at + again_after;
            overdue.push_back({key, room.lane});
            --left;
        }
    }
    return overdue;
}

bool StoreModel::is_settled() const {
    for (const auto& [id, job] : jobs_) {
        if (job.state == Job::State::planning) return false;
    }
    return early_.empty() && std::all_of(chunks_.begin(), chunks_.end(), [](const auto& entry) {
               return entry.second.state == State::done;
           });
}

}  // namespace fanfare::simulation
