#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/ledger/chunks.hpp"
#include "core/ledger/jobs.hpp"
#include "core/ledger/plans.hpp"
#include "tests/support/test_database.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <string>
#include <vector>

namespace fanfare::ledger {

inline constexpr std::chrono::seconds lease{60};
inline constexpr std::chrono::seconds republish_after{30};

inline std::string literal_of(const std::vector<std::string>& ids) {
    std::string literal{"{"};
    for (const auto& id : ids) postgres::append_element(literal, id);
    literal.push_back('}');
    return literal;
}

inline std::string bytes_of(std::initializer_list<Outcome> outcomes) {
    std::string bytes;
    for (const auto outcome : outcomes) bytes.push_back(static_cast<char>(outcome));
    return bytes;
}

inline std::string reasons_of(std::initializer_list<Reason> reasons) {
    std::string bytes;
    for (const auto reason : reasons) bytes.push_back(static_cast<char>(reason));
    return bytes;
}

inline void PrintTo(const ChunkKey& key, std::ostream* out) {
    *out << key.job << "/" << to_string(key.channel) << "/" << key.number;
}

/// A ledger whose clock stands still, and the few steps that lead to chunks.
class LedgerCase : public ::testing::Test {
protected:
    /// Whatever a test did to the ledger.
    void TearDown() override { expect_moves_add_up(); }

    static Job job_named(const std::string& key) {
        Job job;
        job.idempotency_key = key;
        job.id = derived_id(key);
        job.system = "shows";
        job.kind = "show.reminder";
        job.audience = "followers";
        job.channels = {Channel::email};
        job.source = "test";
        return job;
    }

    std::string accept(const Job& job) {
        EXPECT_TRUE(test::insert_job(db(), job));
        return job.id;
    }
    std::string accept(const std::string& key) { return accept(job_named(key)); }

    /// Plans one chunk a group of recipients, all e-mail.
    void plan(const std::string& job, const std::vector<std::vector<std::string>>& groups,
              DoubtPolicy on_doubt = DoubtPolicy::hold, bool finish = true) {
        auto task = claim_plan(db(), job, lease);
        ASSERT_TRUE(task);
        std::vector<NewChunk> chunks;
        for (const auto& group : groups) {
            chunks.push_back({Channel::email, task->chunks[0]++,
                              static_cast<std::int32_t>(group.size()), literal_of(group),
                              on_doubt});
            task->planned[0] += static_cast<std::int64_t>(group.size());
            task->cursor = group.back();
        }
        ASSERT_TRUE(write_plan(db(), *task, Lane::normal, chunks, lease, republish_after));
        if (finish) {
            ASSERT_TRUE(finish_plan(db(), *task));
        }
    }

    ChunkKey key(const std::string& job, std::int32_t number = 0) const {
        return {job, Channel::email, number};
    }
    std::vector<ClaimedChunk> claim(const std::vector<ChunkKey>& keys, std::int64_t token = 1) {
        std::vector<ClaimRequest> requests;
        for (const auto& one : keys) requests.push_back({one, "mail"});
        return claim_chunks(db(), requests, lease, token);
    }
    /// Of a job of its own: for what only who holds a chunk may do.
    ChunkClaim hold_a_chunk() {
        const auto job = accept("a job of a holder");
        plan(job, {{"nobody"}});
        return claim({key(job)}).at(0);
    }
    static ChunkRecord record_for(const ClaimedChunk& chunk, std::string outcomes) {
        ChunkRecord record;
        record.key = chunk.key;
        record.epoch = chunk.epoch;
        record.token = chunk.token;
        record.outcomes = std::move(outcomes);
        record.done = true;
        for (const char c : record.outcomes) {
            if (!is_final(static_cast<Outcome>(c))) record.done = false;
        }
        record.account = "mail";
        return record;
    }
    std::vector<ChunkKey> record(const ChunkRecord& one) {
        return record_chunks(db(), std::vector<ChunkRecord>{one}).keys;
    }

    std::string outcomes_of(const std::string& job) {
        std::string text;
        for (const auto& outcome : ledger.column(fmt::format(
                 "SELECT outcome FROM delivery WHERE job_id = '{}' ORDER BY recipient", job))) {
            text += (text.empty() ? "" : " ") + outcome;
        }
        return text;
    }
    static ChunkMark mark_for(const ClaimedChunk& chunk, const std::string& outcomes) {
        return {.key = chunk.key,
                .epoch = chunk.epoch,
                .outcomes = outcomes,
                .reasons = chunk.reasons,
                .attempts = chunk.attempts,
                .causes = chunk.causes,
                .begun = chunk.begun,
                .provider_ids = {},
                .account = {},
                .suppressions = {}};
    }
    Written mark(const ClaimedChunk& chunk, const std::string& outcomes) {
        return mark_chunks(db(), std::vector{mark_for(chunk, outcomes)});
    }
    /// Of all channels and lanes, up to so many of each.
    std::vector<Overdue> overdue(std::int64_t room) {
        std::vector<Room> rooms;
        for (const auto channel : channels) {
            for (const auto lane : lanes) rooms.push_back({channel, lane, room});
        }
        return take_overdue(db(), rooms, republish_after);
    }
    /// As the sweeper does it, with this outcome for everybody.
    std::vector<ChunkKey> take_over(Outcome outcome) {
        std::vector<ChunkKey> keys;
        for (const auto& chunk : take_over_stalled(db(), 10, lease)) {
            auto entry =
                record_for(chunk, std::string(chunk.outcomes.size(), static_cast<char>(outcome)));
            entry.taken_over = true;
            for (const auto& written : record(entry)) keys.push_back(written);
        }
        return keys;
    }
    /// The promise of the ledger, for every job and channel.
    void expect_everyone_counted() {
        EXPECT_THAT(
            ledger.column("SELECT channel FROM job_progress WHERE planned <> pending + sent + "
                          "delivered + opened + clicked + refused + suppressed + opted_out + "
                          "no_address + expired + cancelled + retry + failed + unknown + "
                          "replayed"),
            ::testing::IsEmpty());
        EXPECT_THAT(ledger.column("SELECT job_id FROM job_progress p WHERE planned <> "
                                  "(SELECT count(*) FROM delivery d WHERE d.job_id = p.job_id "
                                  "AND d.channel = p.channel)"),
                    ::testing::IsEmpty());
        expect_moves_add_up();
    }
    /// For every outcome: who came less who left is who is there.
    void expect_moves_add_up() {
        EXPECT_THAT(ledger.column("SELECT format('%s %s %s: %s counted, %s held', kind, channel, "
                                  "outcome, counted, held) FROM outcome_difference"),
                    ::testing::IsEmpty());
    }

    postgres::Connection& db() { return ledger.connection(); }

    test::TestLedger ledger;
};

}  // namespace fanfare::ledger
