#include "tests/simulation/store_model.hpp"

#include "core/postgres/connection.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::simulation {
namespace {

/// Somebody of whom nobody knows: their own worker's word replaces it.
bool is_guessed(char outcome, char reason) {
    return !is_final(static_cast<Outcome>(outcome)) ||
           (static_cast<Outcome>(outcome) == Outcome::unknown &&
            static_cast<Reason>(reason) == Reason::worker_lost);
}

std::string or_zeros(const std::string& bytes, std::size_t count) {
    return bytes.empty() ? std::string(count, '\0') : bytes;
}

std::vector<std::string> one_each(std::vector<std::string> ids, std::size_t count) {
    if (ids.size() == 1) ids.assign(count, ids.front());
    ids.resize(count);
    return ids;
}

}  // namespace

void StoreModel::add(ledger::ChunkKey key, std::vector<std::string> recipients,
                     DoubtPolicy on_doubt) {
    Chunk chunk;
    chunk.key = key;
    chunk.on_doubt = on_doubt;
    const auto count = recipients.size();
    for (auto* const bytes :
         {&chunk.outcomes, &chunk.reasons, &chunk.attempts, &chunk.causes, &chunk.begun}) {
        bytes->assign(count, '\0');
    }
    chunk.ids.resize(count);
    chunk.recipients = std::move(recipients);
    chunk.next_at = chunk.publish_at = clock_.steady_now();
    chunks_.emplace(std::move(key), std::move(chunk));
}

ledger::ClaimedChunk StoreModel::hand_out(Chunk& chunk) const {
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
    return claimed;
}

std::vector<ledger::ClaimedChunk> StoreModel::claim(std::span<const ledger::ClaimRequest> requests,
                                                    std::chrono::milliseconds lease,
                                                    std::int64_t token) {
    std::vector<ledger::ClaimedChunk> claimed;
    const auto now = clock_.steady_now();
    for (const auto& request : requests) {
        auto& chunk = chunks_.at(request.key);
        const bool is_due = chunk.state == State::planned && chunk.next_at <= now;
        const bool is_repeat = chunk.state == State::claimed && chunk.token == token;
        const bool is_taken_anyway =
            fault_ == StoreFault::claims_claimed && chunk.state == State::claimed;
        if (!is_due && !is_repeat && !is_taken_anyway) continue;
        ++chunk.epoch;
        chunk.token = token;
        if (!is_repeat) chunk.begun.assign(chunk.recipients.size(), '\0');
        chunk.state = State::claimed;
        chunk.lease_until = now + lease;
        if (chunk.account.empty()) chunk.account = request.account;
        claimed.push_back(hand_out(chunk));
    }
    return claimed;
}

ledger::Written StoreModel::mark(std::span<const ledger::ChunkMark> marks) {
    ledger::Written written;
    for (const auto& mark : marks) {
        auto& chunk = chunks_.at(mark.key);
        if (chunk.state != State::claimed || chunk.epoch != mark.epoch) continue;
        const auto count = chunk.recipients.size();
        chunk.outcomes = mark.outcomes;
        chunk.reasons = or_zeros(mark.reasons, count);
        chunk.attempts = or_zeros(mark.attempts, count);
        chunk.causes = or_zeros(mark.causes, count);
        chunk.begun = or_zeros(mark.begun, count);
        if (!mark.account.empty()) chunk.account = mark.account;
        written.keys.push_back(mark.key);
        look_at(chunk);
    }
    return written;
}

ledger::Written StoreModel::record(std::span<const ledger::ChunkRecord> records) {
    ledger::Written written;
    for (const auto& record : records) {
        auto& chunk = chunks_.at(record.key);
        const bool ours = chunk.state == State::claimed && chunk.epoch == record.epoch;
        if (ours || fault_ == StoreFault::no_fence) {
            write(chunk, record);
        } else if (chunk.token != 0 && chunk.token == record.token && !record.taken_over) {
            write_late(chunk, record);
        } else {
            continue;
        }
        written.keys.push_back(record.key);
        look_at(chunk);
    }
    return written;
}

void StoreModel::write(Chunk& chunk, const ledger::ChunkRecord& record) {
    const auto count = chunk.recipients.size();
    for (std::size_t i = 0; i < count; ++i) {
        const auto before = static_cast<Outcome>(chunk.outcomes[i]);
        if (is_final(before) && before != static_cast<Outcome>(record.outcomes[i])) {
            broken_ = fmt::format("{} was {} and is {}", chunk.recipients[i], to_string(before),
                                  to_string(static_cast<Outcome>(record.outcomes[i])));
        }
    }
    chunk.outcomes = record.outcomes;
    chunk.reasons = or_zeros(record.reasons, count);
    chunk.attempts = or_zeros(record.attempts, count);
    chunk.causes = or_zeros(record.causes, count);
    chunk.ids = one_each(record.provider_ids, count);
    chunk.begun.assign(count, '\0');
    chunk.state = record.done ? State::done : State::planned;
    if (!record.taken_over) {
        chunk.token = 0;
        chunk.takeovers = 0;
    }
    chunk.failures = record.failures;
    chunk.next_at = chunk.publish_at = clock_.steady_now() + record.next_in;
    if (!record.account.empty()) chunk.account = record.account;
}

/// The word of a worker that lost the chunk and lives; nobody has claimed it since.
void StoreModel::write_late(Chunk& chunk, const ledger::ChunkRecord& record) {
    auto merged = record;
    const auto count = chunk.recipients.size();
    merged.reasons = or_zeros(record.reasons, count);
    merged.attempts = or_zeros(record.attempts, count);
    merged.causes = or_zeros(record.causes, count);
    merged.done = true;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_guessed(chunk.outcomes[i], chunk.reasons[i])) {
            merged.outcomes[i] = chunk.outcomes[i];
            merged.reasons[i] = chunk.reasons[i];
            merged.attempts[i] = chunk.attempts[i];
            merged.causes[i] = chunk.causes[i];
        }
        if (!is_final(static_cast<Outcome>(merged.outcomes[i]))) merged.done = false;
    }
    chunk.outcomes = merged.outcomes;  // What was a guess may change: write() need not look.
    write(chunk, merged);
}

std::vector<ledger::ClaimedChunk> StoreModel::take_over(std::size_t limit,
                                                        std::chrono::milliseconds lease) {
    std::vector<ledger::ClaimedChunk> taken;
    const auto now = clock_.steady_now();
    for (auto& [key, chunk] : chunks_) {
        if (chunk.state != State::claimed || chunk.lease_until >= now) continue;
        if (taken.size() == limit) break;
        ++chunk.epoch;
        ++chunk.takeovers;
        chunk.lease_until = now + lease;
        if (fault_ == StoreFault::forgets_mark) chunk.begun.assign(chunk.recipients.size(), '\0');
        taken.push_back(hand_out(chunk));
    }
    return taken;
}

std::vector<ledger::Overdue> StoreModel::take_overdue(std::span<const ledger::Room> rooms,
                                                      std::chrono::milliseconds again_after) {
    std::vector<ledger::Overdue> overdue;
    const auto now = clock_.steady_now();
    for (const auto& room : rooms) {
        auto left = room.chunks;
        if (room.lane != Lane::normal) continue;
        for (auto& [key, chunk] : chunks_) {
            const bool is_due = chunk.state == State::planned && chunk.publish_at <= now;
            if (left == 0 || !is_due || key.channel != room.channel) continue;
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
    bucket.next_free = begins + std::chrono::duration_cast<std::chrono::nanoseconds>(length);
    return std::chrono::ceil<std::chrono::microseconds>(begins - now);
}

void StoreModel::block(const std::string& account, std::chrono::milliseconds wait) {
    auto& bucket = buckets_[account];
    bucket.blocked_until = std::max(bucket.blocked_until, clock_.steady_now() + wait);
}

bool StoreModel::is_settled() const {
    return std::all_of(chunks_.begin(), chunks_.end(),
                       [](const auto& entry) { return entry.second.state == State::done; });
}

void StoreModel::look_at(const Chunk& chunk) {
    const auto count = chunk.recipients.size();
    for (const auto* const bytes :
         {&chunk.outcomes, &chunk.reasons, &chunk.attempts, &chunk.causes, &chunk.begun}) {
        if (bytes->size() != count) broken_ = "not one byte a recipient";
    }
    if (chunk.state != State::done) return;
    for (const char outcome : chunk.outcomes) {
        if (!is_final(static_cast<Outcome>(outcome))) broken_ = "done with somebody open";
    }
}

}  // namespace fanfare::simulation
