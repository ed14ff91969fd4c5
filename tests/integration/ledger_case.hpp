#pragma once

#include "core/domain/words.hpp"
#include "core/ledger/chunks.hpp"
#include "core/ledger/jobs.hpp"
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

/// A ledger whose clock stands still, and the few steps that lead to chunks.
class LedgerCase : public ::testing::Test {
protected:
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
        EXPECT_TRUE(insert_job(db(), job, encode_job(job)));
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

    postgres::Connection& db() { return ledger.connection(); }

    test::TestLedger ledger;
};

}  // namespace fanfare::ledger
