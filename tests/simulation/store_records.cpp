// Marks and records: what workers write, and what of it counts.
#include "core/domain/doubt.hpp"
#include "tests/simulation/store_model.hpp"

#include <fmt/format.h>

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

/// Nobody is turned to another channel of whom the ledger knows better.
void leave_out(std::optional<ledger::FallbackChunk>& fallback, const std::string& person) {
    if (!fallback) return;
    std::erase(fallback->recipients, person);
    if (fallback->recipients.empty()) fallback.reset();
}

/// "2 sent, 1 unknown".
std::string count_words(const std::string& outcomes) {
    std::string text;
    const auto tally = ledger::count_outcomes(outcomes);
    for (std::size_t i = 0; i < tally.size(); ++i) {
        if (tally[i] == 0) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", tally[i],
                            to_string(static_cast<Outcome>(i)));
    }
    return text;
}

}  // namespace

/// What the ledger says of a job beside its chunk.
void StoreModel::tell_of_job(const ledger::ChunkKey& key, ledger::Written& written) const {
    const auto* const job = find_job(key.job);
    if (job == nullptr) return;
    if (job->cancelled_at) written.cancelled.push_back(key);
    if (job->held_since) written.paused.push_back(key);
}

ledger::Written StoreModel::mark(std::span<const ledger::ChunkMark> marks) {
    ledger::Written written;
    for (const auto& mark : marks) {
        auto& chunk = chunks_.at(mark.key);
        const bool ours = chunk.state == State::claimed && chunk.epoch == mark.epoch;
        if (!ours && plant_ != Plant::mark_unfenced) continue;
        const auto count = chunk.recipients.size();
        chunk.outcomes = mark.outcomes;
        chunk.updated_at = now();
        chunk.is_untouched = false;
        chunk.reasons = or_zeros(mark.reasons, count);
        chunk.attempts = or_zeros(mark.attempts, count);
        chunk.causes = or_zeros(mark.causes, count);
        chunk.begun = or_zeros(mark.begun, count);
        chunk.truly_begun = chunk.begun;
        if (!mark.provider_ids.empty()) chunk.ids = one_each(mark.provider_ids, count);
        if (!mark.account.empty()) chunk.account = mark.account;
        written.keys.push_back(mark.key);
        tell_of_job(mark.key, written);
        story_.tell("chunk {}/{} is marked, epoch {}: {}", mark.key.job, mark.key.number,
                    mark.epoch, count_words(chunk.outcomes));
        look_at(chunk);
    }
    if (plant_ == Plant::mark_hides_cancel) written.cancelled.clear();
    if (plant_ == Plant::claim_ignores_hold) written.paused.clear();
    return written;
}

ledger::Written StoreModel::record(std::span<const ledger::ChunkRecord> records) {
    ledger::Written written;
    for (const auto& record : records) {
        auto& chunk = chunks_.at(record.key);
        const bool ours = chunk.state == State::claimed && chunk.epoch == record.epoch;
        const bool late = chunk.token != 0 && chunk.token == record.token && !record.taken_over &&
                          chunk.recipients.size() == record.outcomes.size();
        if (ours || plant_ == Plant::no_fence) {
            write(chunk, record);
            complete(record);
        } else if (late || (plant_ == Plant::late_overrules && !record.taken_over)) {
            write_late(chunk, record);
        } else {
            story_.tell("chunk {}/{}: a record of epoch {} comes too late", record.key.job,
                        record.key.number, record.epoch);
            continue;
        }
        written.keys.push_back(record.key);
        tell_of_job(record.key, written);
        story_.tell("chunk {}/{} is recorded{}, epoch {}: {}", record.key.job, record.key.number,
                    record.taken_over ? " for a lost worker" : "", record.epoch,
                    count_words(chunk.outcomes));
        look_at(chunk);
    }
    written.paused.clear();  // Of the marked only.
    return written;
}

/// Whoever writes for a lost worker knows by the marks who was asked for.
void StoreModel::check_guess(const Chunk& chunk, const ledger::ChunkRecord& record) {
    for (std::size_t i = 0; i < chunk.recipients.size(); ++i) {
        const bool was_open = !is_final(static_cast<Outcome>(chunk.outcomes[i]));
        if (!was_open) continue;
        const auto reason = static_cast<Reason>(record.reasons.empty() ? '\0' : record.reasons[i]);
        const bool is_new = static_cast<Reason>(chunk.reasons[i]) != Reason::worker_lost;
        if (chunk.truly_begun[i] != '\0' && reason != Reason::worker_lost) {
            breaks(fmt::format("{} was in a request and is not in doubt", chunk.recipients[i]));
        } else if (chunk.truly_begun[i] == '\0' && reason == Reason::worker_lost && is_new) {
            breaks(fmt::format("{} was in no request and is in doubt", chunk.recipients[i]));
        }
    }
}

void StoreModel::write(Chunk& chunk, const ledger::ChunkRecord& record) {
    const auto count = chunk.recipients.size();
    for (std::size_t i = 0; i < count; ++i) {
        const auto before = static_cast<Outcome>(chunk.outcomes[i]);
        const auto after = static_cast<Outcome>(record.outcomes[i]);
        // Of another device of theirs came better word.
        const bool is_lifted = before == Outcome::unknown && is_told(after);
        if (is_final(before) && before != after && !is_lifted) {
            breaks(fmt::format("{} was {} and is {}", chunk.recipients[i], to_string(before),
                               to_string(static_cast<Outcome>(record.outcomes[i]))));
        }
        if (after == Outcome::expired && before != after) check_expired(chunk, chunk.recipients[i]);
    }
    if (record.taken_over) check_guess(chunk, record);
    chunk.outcomes = record.outcomes;
    chunk.is_untouched = false;
    if (plant_ == Plant::record_drops_last) chunk.outcomes.back() = '\0';
    chunk.reasons = or_zeros(record.reasons, count);
    chunk.attempts = or_zeros(record.attempts, count);
    chunk.causes = or_zeros(record.causes, count);
    if (plant_ == Plant::forgets_doubt) chunk.reasons.assign(count, '\0');
    if (plant_ == Plant::attempts_forgotten) chunk.attempts.assign(count, '\0');
    chunk.ids = one_each(record.provider_ids, count);
    chunk.begun.assign(count, '\0');
    chunk.state = record.done ? State::done : State::planned;
    if (!record.taken_over) {
        chunk.token = 0;
        chunk.takeovers = 0;
    }
    chunk.failures = record.failures;
    const auto at = now();
    const auto wait = record.done ? std::chrono::milliseconds{0} : record.next_in;
    chunk.next_at = at + wait;
    chunk.due_at = truth_.steady_now() + wait;
    if (!record.done && record.not_before) {
        chunk.next_at = std::max(chunk.next_at, steady(*record.not_before));
        chunk.due_at = std::max(chunk.due_at, steady(*record.not_before));
    }
    chunk.updated_at = at;
    const auto* const job = find_job(chunk.key.job);
    if (!record.done && job != nullptr && job->expires_at) {
        chunk.next_at = std::min(chunk.next_at, *job->expires_at);
        chunk.due_at = std::min(chunk.due_at, *job->expires_at);
    }
    chunk.publish_at = chunk.next_at;
    if (!record.account.empty()) chunk.account = record.account;
}

/// The word of a worker that lost the chunk and lives; nobody has claimed it since.
void StoreModel::write_late(Chunk& chunk, const ledger::ChunkRecord& record) {
    auto merged = record;
    const auto count = chunk.recipients.size();
    merged.reasons = or_zeros(record.reasons, count);
    merged.attempts = or_zeros(record.attempts, count);
    merged.causes = or_zeros(record.causes, count);
    merged.provider_ids = one_each(record.provider_ids, count);
    bool all_final = true;
    for (std::size_t i = 0; i < count; ++i) {
        const bool stands = !is_guessed(chunk.outcomes[i], chunk.reasons[i]);
        if (stands && plant_ != Plant::late_overrules) {
            const bool is_known_otherwise =
                merged.outcomes[i] != chunk.outcomes[i] || merged.reasons[i] != chunk.reasons[i];
            if (is_known_otherwise) leave_out(merged.fallback, chunk.recipients[i]);
            merged.outcomes[i] = chunk.outcomes[i];
            merged.reasons[i] = chunk.reasons[i];
            merged.attempts[i] = chunk.attempts[i];
            merged.causes[i] = chunk.causes[i];
        }
        if (!chunk.ids[i].empty()) merged.provider_ids[i] = chunk.ids[i];
        if (!is_final(static_cast<Outcome>(merged.outcomes[i]))) all_final = false;
        // A guess may change: write() need not look.
        if (!stands) chunk.outcomes[i] = merged.outcomes[i];
    }
    merged.done = record.done && all_final;
    if (all_final) merged.next_in = {};
    if (all_final) merged.not_before.reset();
    write(chunk, merged);
    complete(merged);
}

void StoreModel::look_at(const Chunk& chunk) {
    const auto count = chunk.recipients.size();
    for (const auto* const bytes :
         {&chunk.outcomes, &chunk.reasons, &chunk.attempts, &chunk.causes, &chunk.begun}) {
        if (bytes->size() != count) breaks("not one byte a recipient");
    }
    if (chunk.state != State::done) return;
    for (const char outcome : chunk.outcomes) {
        if (!is_final(static_cast<Outcome>(outcome))) breaks("done with somebody open");
    }
}

}  // namespace fanfare::simulation
