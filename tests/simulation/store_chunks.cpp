// Who may send to whom: claims, takeovers, what is overdue, and the rates.
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
    chunk.next_at = chunk.due_at = clock_.steady_now();
    chunk.publish_at = clock_.steady_now() + publish_after;
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
    const bool is_due = plant_ == Plant::claim_too_early || chunk.next_at <= clock_.steady_now();
    const bool held = plant_ != Plant::claim_ignores_hold && is_held(chunk.key.job);
    return is_due && !held;
}

std::vector<ledger::ClaimedChunk> StoreModel::claim(std::span<const ledger::ClaimRequest> requests,
                                                    std::chrono::milliseconds lease,
                                                    std::int64_t token) {
    std::vector<ledger::ClaimedChunk> claimed;
    const auto now = clock_.steady_now();
    for (const auto& request : requests) {
        const auto found = chunks_.find(request.key);
        if (found == chunks_.end()) continue;  // A descriptor of what nobody planned.
        auto& chunk = found->second;
        if (!may_claim(chunk, token)) continue;
        const bool is_repeat = chunk.state == State::claimed && chunk.token == token;
        if (!is_repeat && chunk.due_at > now) breaks("a chunk was claimed before its time");
        const auto count = chunk.recipients.size();
        ++chunk.epoch;
        chunk.token = token;
        if (!is_repeat) {
            chunk.truly_begun.assign(count, '\0');
            chunk.begun.assign(count, '\0');
        }
        chunk.state = State::claimed;
        chunk.lease_until = now + (plant_ == Plant::lease_too_short ? lease / 8 : lease);
        const bool is_bound = has_doubt(chunk) && plant_ != Plant::claim_moves_doubt;
        if (!is_bound || chunk.account.empty()) chunk.account = request.account;
        claimed.push_back(hand_out(chunk));
        story_.tell("chunk {}/{} is claimed for {}, epoch {}", chunk.key.job, chunk.key.number,
                    chunk.account, chunk.epoch);
    }
    return claimed;
}

std::vector<ledger::ClaimedChunk> StoreModel::take_over(std::size_t limit,
                                                        std::chrono::milliseconds lease) {
    std::vector<Chunk*> stalled;
    const auto now = clock_.steady_now();
    for (auto& [key, chunk] : chunks_) {
        if (chunk.state != State::claimed) continue;
        const bool is_over = plant_ == Plant::takes_the_living || chunk.lease_until < now;
        if (is_over) stalled.push_back(&chunk);
    }
    std::stable_sort(stalled.begin(), stalled.end(),
                     [](const auto* a, const auto* b) { return a->lease_until < b->lease_until; });
    if (stalled.size() > limit) stalled.resize(limit);
    std::vector<ledger::ClaimedChunk> taken;
    for (auto* const chunk : stalled) {
        if (plant_ != Plant::takeover_keeps_epoch) ++chunk->epoch;
        chunk->takeovers = std::min(chunk->takeovers + 1, 1'000);
        chunk->lease_until = now + lease;
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
        chunk.lease_until = clock_.steady_now() + lease;
        ended.push_back(hand_out(chunk));
        story_.tell("chunk {}/{} is claimed because its job is over", key.job, key.number);
    }
    return ended;
}

std::vector<ledger::Overdue> StoreModel::take_overdue(std::span<const ledger::Room> rooms,
                                                      std::chrono::milliseconds again_after) {
    std::vector<ledger::Overdue> overdue;
    if (plant_ == Plant::sweeps_nothing) return overdue;
    const auto now = clock_.steady_now();
    for (const auto& room : rooms) {
        auto left = room.chunks;
        if (room.lane != Lane::normal) continue;
        for (auto& [key, chunk] : chunks_) {
            const bool is_due =
                chunk.state == State::planned && chunk.publish_at <= now && chunk.next_at <= now;
            if (left == 0 || !is_due || key.channel != room.channel || is_held(key.job)) continue;
            chunk.publish_at = now + again_after;
            overdue.push_back({key, room.lane});
            --left;
        }
    }
    return overdue;
}

std::chrono::microseconds StoreModel::lease_rate(const std::string& account, double per_second,
                                                 std::uint32_t tokens) {
    auto& bucket = buckets_[account];
    const auto now = clock_.steady_now();
    const auto begins = std::max({now, bucket.next_free, bucket.blocked_until});
    const std::chrono::duration<double> length{tokens / per_second};
    if (plant_ != Plant::slice_given_twice) {
        bucket.next_free = begins + std::chrono::duration_cast<std::chrono::nanoseconds>(length);
    }
    return std::chrono::ceil<std::chrono::microseconds>(begins - now);
}

void StoreModel::block(const std::string& account, std::chrono::milliseconds wait) {
    const auto now = clock_.steady_now();
    story_.tell("account {} waits {} ms: a 429", account, wait.count());
    blocks_[account] = {now, std::max(blocks_[account].until, now + wait)};
    if (plant_ == Plant::block_forgotten) return;
    auto& bucket = buckets_[account];
    bucket.blocked_until = std::max(bucket.blocked_until, now + wait);
}

std::map<std::string, std::chrono::microseconds> StoreModel::blocked() const {
    std::map<std::string, std::chrono::microseconds> all;
    const auto now = clock_.steady_now();
    for (const auto& [account, bucket] : buckets_) {
        if (bucket.blocked_until <= now) continue;
        all[account] = std::chrono::ceil<std::chrono::microseconds>(bucket.blocked_until - now);
    }
    return all;
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
