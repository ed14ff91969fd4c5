#pragma once

#include "tests/simulation/store_model.hpp"

#include "core/ledger/bytea.hpp"
#include "core/ledger/clock.hpp"
#include "core/ledger/pauses.hpp"
#include "core/ledger/receipts.hpp"
#include "tests/integration/ledger_case.hpp"
#include "tests/simulation/chaos.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace fanfare::simulation {

using ledger::ChunkKey;
using ledger::ClaimedChunk;
using std::chrono::seconds;

inline constexpr std::size_t job_count = 2, chunks_each = 3, people_each = 3;
inline constexpr seconds claim_lease{20}, again_after{30};
inline constexpr int everything = 100'000;
/// When a test's ledger begins.
inline constexpr TimePoint begins{std::chrono::sys_days{std::chrono::year{2030} / 1 / 1} +
                                  std::chrono::hours{12}};

inline std::string hex(const std::string& bytes) {
    return bytes.find_first_not_of('\0') == std::string::npos ? "-" : ledger::encode_bytea(bytes);
}

inline std::string say(const ChunkKey& key) {
    return fmt::format("{}/{}/{}", key.job, to_string(key.channel), key.number);
}

/// All that a claim says.
inline std::string say(const ClaimedChunk& chunk) {
    return fmt::format(
        "{} epoch {} token {} takeovers {} failures {} account {} cancelled {} expired {}: {} {} "
        "{} "
        "{} {} {} {}",
        say(chunk.key), chunk.epoch, chunk.token, chunk.takeovers, chunk.failures, chunk.account,
        chunk.job_cancelled, chunk.job_expired, chunk.recipients_literal, hex(chunk.outcomes),
        hex(chunk.reasons), hex(chunk.attempts), hex(chunk.causes), hex(chunk.begun),
        fmt::join(ledger::compact_ids(chunk.provider_ids), ","));
}

/// Two jobs in a ledger and in its model, and what may be done to both.
class DifferentialCase : public ledger::LedgerCase {
protected:
    DifferentialCase() : story_{clock_, false} {}

    /// Two jobs with their chunks in both, and nothing else of the model's.
    void begin(std::uint64_t seed) {
        dice_ = Dice{seed};
        set_clock({});
        ledger.column("DELETE FROM counted_send RETURNING 1");
        model_.emplace(clock_, story_);
        held_.clear();
        jobs_.clear();
        const auto on_doubt = static_cast<DoubtPolicy>(dice_.below(3));
        for (std::size_t j = 0; j < job_count; ++j) begin_job(seed, j, on_doubt);
        pass(seconds{31});
    }

    void begin_job(std::uint64_t seed, std::size_t j, DoubtPolicy on_doubt) {
        const auto id = accept(fmt::format("{}-{}", seed, j));
        std::vector<std::vector<std::string>> groups(chunks_each);
        StoreModel::NewJob order;
        order.id = id;
        if (dice_.hits(400))
            order.expires_at = clock_.steady_now() + seconds{40 + dice_.below(200)};
        std::ignore = model_->take_job(order);
        for (std::size_t i = 0; i < chunks_each; ++i) {
            for (std::size_t k = 0; k < people_each; ++k) {
                groups[i].push_back(fmt::format("u{}{}", i, k));
            }
            model_->add({id, Channel::email, static_cast<std::int32_t>(i)}, groups[i], on_doubt,
                        ledger::republish_after);
        }
        plan(id, groups, on_doubt);
        if (order.expires_at) {
            const std::chrono::duration<double> left = *order.expires_at - clock_.steady_now();
            ledger.column(
                fmt::format("UPDATE job SET expires_at = app_now() + {} * interval '1 s' "
                            "WHERE id = '{}' RETURNING 1",
                            left.count(), id));
        }
        jobs_.push_back(id);
    }

    void pass(seconds time) {
        clock_.advance(time);
        ledger.advance(time);
    }

    /// What its clock shows; what tests move is no fault of that.
    TimePoint database_time() { return ledger::read_clock(db(), system_clock()).theirs; }

    /// So far ahead of what it was.
    void set_clock(std::chrono::milliseconds ahead) {
        ledger.advance(ahead - ahead_);
        ahead_ = ahead;
        if (model_) model_->set_clock(ahead);
    }

    bool is_ours(const std::string& job) const {
        return std::find(jobs_.begin(), jobs_.end(), job) != jobs_.end();
    }

    template <class Words>
    std::vector<std::string> sorted(const Words& words) const {
        std::vector<std::string> lines;
        for (const auto& word : words) lines.push_back(say(word));
        std::sort(lines.begin(), lines.end());
        return lines;
    }

    std::vector<ClaimedChunk> of_ours(std::vector<ClaimedChunk> chunks) const {
        std::erase_if(chunks, [this](const auto& chunk) { return !is_ours(chunk.key.job); });
        return chunks;
    }

    void take(std::vector<ClaimedChunk> theirs, std::vector<ClaimedChunk> models, bool over) {
        theirs = of_ours(std::move(theirs));
        EXPECT_EQ(sorted(theirs), sorted(models));
        for (auto& chunk : theirs) held_.push_back({std::move(chunk), over});
    }

    void claim_some() {
        std::vector<ledger::ClaimRequest> requests;
        for (std::size_t i = 0; i < 1 + dice_.below(4); ++i) {
            auto one = model_->chunks().begin();
            std::advance(one, static_cast<std::ptrdiff_t>(dice_.below(model_->chunks().size())));
            const ChunkKey key = one->first;
            requests.push_back({key, dice_.hits(500) ? "mail" : "other"});
        }
        const auto same = [](const auto& a, const auto& b) { return a.key == b.key; };
        std::sort(requests.begin(), requests.end());
        requests.erase(std::unique(requests.begin(), requests.end(), same), requests.end());
        if (!dice_.hits(300)) ++token_;  // Otherwise once more after a lost answer.
        const auto off = dice_.hits(100) ? seconds{30} : seconds{0};
        take(ledger::claim_chunks(db(), requests, claim_lease, token_, database_time() + off),
             model_->claim(requests, claim_lease, token_, model_->calendar_now() + off), false);
    }

    struct Held {
        ClaimedChunk chunk;
        bool taken_over = false;
    };

    /// Bytes of a chunk's people: what may be said of them next.
    void draw_fates(const ClaimedChunk& chunk, auto& word) {
        word.outcomes = chunk.outcomes;
        word.reasons = chunk.reasons;
        word.attempts = chunk.attempts;
        word.causes = chunk.causes;
        constexpr std::array<Outcome, 7> outcomes{
            Outcome::pending,   Outcome::sent,   Outcome::refused, Outcome::retry,
            Outcome::cancelled, Outcome::failed, Outcome::unknown};
        for (std::size_t i = 0; i < word.outcomes.size(); ++i) {
            if (is_final(static_cast<Outcome>(word.outcomes[i])) || dice_.hits(300)) continue;
            word.outcomes[i] = static_cast<char>(outcomes.at(dice_.below(outcomes.size())));
            word.reasons[i] = static_cast<char>(dice_.below(reason_count));
            word.causes[i] = static_cast<char>(dice_.hits(700) ? 0 : dice_.below(reason_count));
            word.attempts[i] = static_cast<char>(dice_.below(5));
        }
        if (dice_.hits(400)) {
            word.provider_ids.resize(word.outcomes.size());
            for (auto& id : word.provider_ids) {
                if (dice_.hits(500)) id = fmt::format("id{}", dice_.below(3));
            }
            word.provider_ids = ledger::compact_ids(std::move(word.provider_ids));
        }
        if (dice_.hits(300)) word.account = "third";
    }

    std::string say(const ledger::Written& written) const {
        return fmt::format("{} | {} | {} | {}", fmt::join(sorted(written.keys), " "),
                           fmt::join(sorted(written.busy), " "),
                           fmt::join(sorted(written.cancelled), " "),
                           fmt::join(sorted(written.paused), " "));
    }
    static std::string say(const ChunkKey& key) { return simulation::say(key); }
    static std::string say(const ClaimedChunk& chunk) { return simulation::say(chunk); }
    static std::string say(const ledger::Overdue& one) { return simulation::say(one.key); }

    void mark_some() {
        if (held_.empty()) return;
        const auto& chunk = held_[dice_.below(held_.size())].chunk;
        ledger::ChunkMark mark;
        mark.key = chunk.key;
        mark.epoch = chunk.epoch;
        draw_fates(chunk, mark);
        mark.begun.assign(mark.outcomes.size(), '\0');
        for (auto& begun : mark.begun) begun = dice_.hits(500) ? '\1' : '\0';
        const std::vector<ledger::ChunkMark> marks{mark};
        EXPECT_EQ(say(ledger::mark_chunks(db(), marks)), say(model_->mark(marks)));
    }

    void record_some() {
        if (held_.empty()) return;
        const auto place = dice_.below(held_.size());
        const auto& [chunk, taken_over] = held_[place];
        ledger::ChunkRecord record;
        record.key = chunk.key;
        record.epoch = chunk.epoch;
        record.token = chunk.token;
        record.taken_over = taken_over;
        draw_fates(chunk, record);
        record.done = std::all_of(record.outcomes.begin(), record.outcomes.end(),
                                  [](char c) { return is_final(static_cast<Outcome>(c)); });
        record.next_in = record.done ? seconds{0} : seconds{dice_.below(90)};
        if (!record.done && dice_.hits(300)) {
            record.not_before =
                begins + clock_.now().time_since_epoch() + seconds{dice_.below(200)};
        }
        record.failures = record.done ? 0 : static_cast<std::int32_t>(dice_.below(3));
        if (dice_.hits(300)) record.counted = std::chrono::hours{8'760};
        if (record.done && dice_.hits(400)) record.fallback = draw_fallback(chunk);
        const std::vector<ledger::ChunkRecord> records{record};
        auto theirs = ledger::record_chunks(db(), records);
        auto models_records = records;
        if (models_records[0].not_before)
            *models_records[0].not_before -= begins.time_since_epoch();
        auto models = model_->record(models_records);
        // A late record tells nothing of its job: its worker has lost it.
        theirs.cancelled.clear();
        models.cancelled.clear();
        EXPECT_EQ(say(theirs), say(models));
        if (dice_.hits(700)) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(place));
    }

    std::optional<ledger::FallbackChunk> draw_fallback(const ClaimedChunk& chunk) {
        ledger::FallbackChunk fallback{Channel::sms, chunk.on_doubt, Lane::normal, {}};
        for (const auto& one : chunk.recipients.elements) {
            if (dice_.hits(500)) fallback.recipients.emplace_back(one);
        }
        if (fallback.recipients.empty()) return std::nullopt;
        return fallback;
    }

    void look_for_overdue() {
        const std::vector<ledger::Room> rooms{{Channel::email, Lane::normal, everything},
                                              {Channel::sms, Lane::normal, everything}};
        auto theirs = ledger::take_overdue(db(), rooms, again_after);
        std::erase_if(theirs, [this](const auto& one) { return !is_ours(one.key.job); });
        EXPECT_EQ(sorted(theirs), sorted(model_->take_overdue(rooms, again_after)));
    }

    void hold_or_not() {
        const auto& job = jobs_[dice_.below(job_count)];
        const ledger::PauseTarget target{ledger::Paused::job, job};
        const bool held = !model_->jobs().at(job).held_since;
        model_->hold(job, held);
        if (held) {
            EXPECT_TRUE(ledger::pause(db(), {target, {}, {}, "ada", "why not"}));
        } else {
            EXPECT_TRUE(ledger::resume(db(), target));
        }
    }

    void hear() {
        ledger::ChunkKey key{jobs_[dice_.below(job_count)], Channel::email,
                             static_cast<std::int32_t>(dice_.below(chunks_each))};
        const auto position = static_cast<std::uint32_t>(dice_.below(people_each));
        const auto event = static_cast<ReceiptEvent>(dice_.below(receipt_event_count));
        ReceiptBatch batch{
            "mail", key.channel, key.job, static_cast<std::uint32_t>(key.number), {}};
        Receipt receipt;
        receipt.reference = {key.job, key.channel, static_cast<std::uint32_t>(key.number),
                             position};
        receipt.event = event;
        batch.receipts.push_back(receipt);
        std::ignore = ledger::apply_receipts(db(), std::vector{batch});
        model_->hear(key, position, event);
    }

    /// All rows of our jobs, as far as anybody reads them.
    std::vector<std::string> rows_of_ledger() {
        return ledger.column(fmt::format(
            "SELECT format('%s/%s/%s %s epoch %s token %s takeovers %s failures %s account %s "
            "lease "
            "%s "
            "next %s publish %s: %s %s %s %s %s %s %s', job_id, channel, number, state, epoch, "
            "coalesce(claim_token, 0), takeovers, failures, coalesce(account, ''), "
            "{0}, {1}, {2}, recipients, {3}, {4}, {5}, {6}, {7}, provider_ids) FROM chunk "
            "WHERE job_id = ANY('{{{8}}}'::uuid[]) ORDER BY job_id, channel, number",
            since("lease_until"), "CASE state WHEN 'planned' THEN " + since("next_at") + " END",
            "CASE state WHEN 'planned' THEN " + since("publish_at") + " END", bytes("outcomes"),
            bytes("reasons"), bytes("attempts"), bytes("causes"),
            "CASE state WHEN 'claimed' THEN " + bytes("begun") + " ELSE '-' END",
            fmt::join(jobs_, ",")));
    }
    static std::string since(std::string_view column) {
        return fmt::format(
            "(extract(epoch FROM {} - timestamptz '2030-01-01 12:00:00Z') * 1000)::bigint", column);
    }
    static std::string bytes(std::string_view column) {
        return fmt::format(
            "CASE WHEN {0} IS NULL OR {0} = decode(repeat('00', size), 'hex') THEN '-' "
            "ELSE {0}::text END",
            column);
    }

    std::vector<std::string> rows_of_model() {
        std::vector<std::string> rows;
        constexpr std::array<const char*, 3> states{"planned", "claimed", "done"};
        const auto ms = [](SteadyTime at) {
            return std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
        };
        for (const auto& [key, chunk] : model_->chunks()) {
            const bool waits = chunk.state == StoreModel::State::planned;
            const bool is_claimed = chunk.state == StoreModel::State::claimed;
            auto ids = ledger::compact_ids(chunk.ids);
            for (auto& id : ids) {
                if (id.empty()) id = "\"\"";
            }
            rows.push_back(fmt::format(
                "{}/{}/{} {} epoch {} token {} takeovers {} failures {} account {} lease {} next "
                "{} "
                "publish {}: {{{}}} {} {} {} {} {} {}",
                key.job, static_cast<int>(key.channel), key.number,
                states.at(static_cast<std::size_t>(chunk.state)), chunk.epoch, chunk.token,
                chunk.takeovers, chunk.failures, chunk.account,
                is_claimed ? std::to_string(ms(chunk.lease_until)) : "",
                waits ? std::to_string(ms(chunk.next_at)) : "",
                waits ? std::to_string(ms(chunk.publish_at)) : "", fmt::join(chunk.recipients, ","),
                hex(chunk.outcomes), hex(chunk.reasons), hex(chunk.attempts), hex(chunk.causes),
                is_claimed ? hex(chunk.begun) : "-",
                ids.empty() ? std::string{} : fmt::format("{{{}}}", fmt::join(ids, ","))));
        }
        return rows;
    }

    /// Who holds places under a cap.
    std::vector<std::string> places_of_ledger() {
        return ledger.column(
            "SELECT format('%s %s %s', substr(recipient, 2), job_id, channels) FROM counted_send "
            "ORDER BY recipient, job_id");
    }
    std::vector<std::string> places_of_model() const {
        std::vector<std::string> places;
        for (const auto& [held, place] : model_->places()) {
            places.push_back(fmt::format("{} {} {}", held.first, held.second, place.channels));
        }
        return places;
    }

    ManualClock clock_{TimePoint{}};
    std::chrono::milliseconds ahead_{0};
    Story story_;
    std::optional<StoreModel> model_;
    Dice dice_{1};
    std::vector<std::string> jobs_;
    std::vector<Held> held_;
    std::int64_t token_ = 1;
};

}  // namespace fanfare::simulation
