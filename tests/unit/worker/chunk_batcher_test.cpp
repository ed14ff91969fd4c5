#include "worker/send/chunk_batcher.hpp"

#include "core/clock/timer.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

ledger::ChunkKey chunk(std::int32_t number) { return {"job", Channel::push, number}; }

/// A ledger that takes 10 ms for each statement, and fails where it is told to.
class StoreStub final : public ChunkStore {
public:
    Answer<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest> requests,
                                                    std::chrono::milliseconds,
                                                    std::int64_t token) override {
        claims.push_back(requests.size());
        tokens.push_back(token);
        co_await pause_for(10ms);
        if (const auto fault = next(claim_faults)) co_return *fault;
        std::vector<ledger::ClaimedChunk> claimed;
        for (const auto& request : requests) claimed.emplace_back().key = request.key;
        co_return claimed;
    }
    Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark> marks) override {
        co_await pause_for(10ms);
        WrittenChunks written;
        for (const auto& word : marks) written.keys.push_back(word.key);
        written.cancelled = cancelled;
        co_return written;
    }
    Answer<WrittenChunks> record(std::span<const ledger::ChunkRecord> words) override {
        records.push_back(words.size());
        with_ids.push_back(!words.front().provider_ids.empty());
        co_await pause_for(10ms);
        if (const auto fault = next(record_faults)) co_return *fault;
        WrittenChunks written;
        for (const auto& word : words) {
            if (lost.contains(word.key)) continue;
            if (refused.contains(word.key)) {
                written.refused.push_back(word.key);
            } else if (busy.erase(word.key) > 0) {
                written.busy.push_back(word.key);
            } else {
                written.keys.push_back(word.key);
            }
        }
        co_return written;
    }
    Answer<bool> split(const ledger::ChunkClaim&, ledger::ChunkPeople&,
                       std::span<const ledger::Split>) override {
        co_return false;
    }
    Answer<bool> is_cancelled(const std::string&) override { co_return false; }

    std::deque<Errc> claim_faults, record_faults;  // Of the next statements.
    std::set<ledger::ChunkKey> busy, lost, refused;
    std::vector<ledger::ChunkKey> cancelled;
    std::vector<std::size_t> claims, records;  // How many of each statement.
    std::vector<std::int64_t> tokens;
    std::vector<bool> with_ids;

private:
    static std::optional<Failure> next(std::deque<Errc>& faults) {
        if (faults.empty()) return std::nullopt;
        const auto code = faults.front();
        faults.pop_front();
        return fail(code, "ask");
    }
};

class ChunkBatcherTest : public ::testing::Test {
protected:
    ChunkBatcherTest() {
        time.attach(loop);
        batcher.emplace(loop.get_executor(), store,
                        ChunkBatcher::Options{60s, [this] { return ++tokens; }});
        batcher->on_settled = [this](const std::string& job) { settled.push_back(job); };
    }

    asio::awaitable<void> claim_one(std::int32_t number, bool urgent) {
        ledger::ClaimRequest request{chunk(number), "a"};
        const auto claimed = co_await batcher->claim(std::move(request), urgent);
        answers.push_back((claimed && claimed.value() ? "claimed " : "nothing ") +
                          std::to_string(number));
    }
    asio::awaitable<void> record_one(std::int32_t number, std::vector<std::string> ids = {},
                                     std::size_t people = 1) {
        ledger::ChunkRecord record;
        record.key = chunk(number);
        record.outcomes.resize(people);
        record.done = true;
        record.provider_ids = std::move(ids);
        const auto written = co_await batcher->record(std::move(record));
        answers.push_back((!written          ? "failed "
                           : written.value() ? "written "
                                             : "lost ") +
                          std::to_string(number));
    }
    void claim(std::int32_t number, bool urgent = false) {
        test::begin(loop, claim_one(number, urgent));
    }
    void record(std::int32_t number, std::size_t people = 1) {
        test::begin(loop, record_one(number, {}, people));
    }

    VirtualTime time{TimePoint{}};
    StoreStub store;
    std::int64_t tokens = 0;
    std::vector<std::string> answers, settled;
    asio::io_context loop{1};
    std::optional<ChunkBatcher> batcher;
};

TEST_F(ChunkBatcherTest, WhoComesWhileAStatementIsUnderWaySharesTheNextOne) {
    claim(0);
    time.run_for(5ms);
    for (int i = 1; i < 3; ++i) claim(i);
    time.run_for(50ms);
    EXPECT_THAT(store.claims, ElementsAre(1U, 2U));
    EXPECT_THAT(answers, ElementsAre("claimed 0", "claimed 1", "claimed 2"));
}

TEST_F(ChunkBatcherTest, ThoseWhoComeAtOnceShareTheFirstStatementToo) {
    for (int i = 0; i < 3; ++i) claim(i);
    for (int i = 3; i < 5; ++i) record(i);
    time.run_for(50ms);
    EXPECT_THAT(store.claims, ElementsAre(3U));
    EXPECT_THAT(store.records, ElementsAre(2U));
}

TEST_F(ChunkBatcherTest, RecordsThatComeOneAfterTheOtherShareAStatement) {
    record(0);
    record(1);
    time.run_for(1ms);
    record(2);
    time.run_for(20ms);
    EXPECT_THAT(store.records, ElementsAre(3U)) << "the answers of a wave";
    record(3);
    time.run_for(1ms);
    record(4);
    time.run_for(20ms);
    EXPECT_THAT(store.records, ElementsAre(3U, 2U)) << "as those before did";
}

TEST_F(ChunkBatcherTest, ClaimsThatComeOneAfterTheOtherShareAStatement) {
    claim(0);
    time.run_for(1ms);
    EXPECT_THAT(store.claims, ElementsAre(1U)) << "alone it goes at once";
    claim(1);
    claim(2);
    time.run_for(10ms);
    claim(3);
    time.run_for(20ms);
    EXPECT_THAT(store.claims, ElementsAre(1U, 3U));
    claim(4);
    time.run_for(1ms);
    claim(5);
    time.run_for(20ms);
    EXPECT_THAT(store.claims, ElementsAre(1U, 3U, 2U)) << "as those before did";
}

TEST_F(ChunkBatcherTest, NobodyWaitsBesideAnUrgentClaim) {
    claim(0);
    claim(1, true);
    time.run_for(1ms);
    claim(2);
    time.run_for(30ms);
    EXPECT_THAT(store.claims, ElementsAre(2U, 1U));
}

TEST_F(ChunkBatcherTest, ARecordThatComesAloneWaitsForNobody) {
    record(0);
    time.run_for(11ms);
    EXPECT_THAT(answers, ElementsAre("written 0"));
}

TEST_F(ChunkBatcherTest, NobodyWaitsBesideTheRecordOfALargeChunk) {
    record(0);
    record(1, 1'000);
    time.run_for(1ms);
    record(2);
    time.run_for(30ms);
    EXPECT_THAT(store.records, ElementsAre(2U, 1U));
}

TEST_F(ChunkBatcherTest, OneChunkIsGivenToOneOfThoseWhoAskForIt) {
    claim(0);
    claim(7);
    claim(7);
    time.run_for(50ms);
    EXPECT_THAT(answers, ElementsAre("claimed 0", "claimed 7", "nothing 7"));
}

TEST_F(ChunkBatcherTest, AClaimWhoseAnswerWasLostIsRepeatedWithItsToken) {
    store.claim_faults = {Errc::commit_in_doubt, Errc::store_unavailable};
    claim(0);
    time.run_for(1s);
    claim(1);
    time.run_for(1s);
    EXPECT_THAT(store.tokens, ElementsAre(1, 1, 1, 2));
    EXPECT_THAT(answers, ElementsAre("claimed 0", "claimed 1"));
}

TEST_F(ChunkBatcherTest, NothingIsClaimedWhileRecordsCannotBeWritten) {
    store.record_faults.assign(8, Errc::store_unavailable);
    record(0);
    time.run_for(20ms);
    EXPECT_TRUE(batcher->is_behind());
    claim(1);
    time.run_for(5s);
    EXPECT_TRUE(store.claims.empty());
    time.run_for(60s);
    EXPECT_FALSE(batcher->is_behind());
    EXPECT_THAT(answers, ElementsAre("written 0", "claimed 1"));
}

TEST_F(ChunkBatcherTest, AChunkThatSomebodyElseHasIsLost) {
    store.lost = {chunk(0)};
    record(0);
    time.run_for(1s);
    EXPECT_THAT(answers, ElementsAre("lost 0"));
}

TEST_F(ChunkBatcherTest, AfterALostAnswerAMissingRowIsWrittenAlready) {
    store.record_faults = {Errc::commit_in_doubt};
    store.lost = {chunk(0)};
    record(0);
    time.run_for(1s);
    EXPECT_THAT(answers, ElementsAre("written 0"));
    EXPECT_THAT(settled, ElementsAre("job"));
}

TEST_F(ChunkBatcherTest, ARowThatIsLockedHoldsUpNobodyElse) {
    store.busy = {chunk(1)};
    for (int i = 0; i < 3; ++i) record(i);
    time.run_for(25ms);
    EXPECT_THAT(answers, ElementsAre("written 0", "written 2"));
    time.run_for(1s);
    EXPECT_THAT(answers, ElementsAre("written 0", "written 2", "written 1"));
    EXPECT_THAT(store.records, ElementsAre(3U, 1U)) << "the locked one was tried alone";
}

TEST_F(ChunkBatcherTest, WhatIsRefusedIsTriedOnceMoreWithoutTheProvidersIds) {
    store.refused = {chunk(0)};
    test::begin(loop, record_one(0, {"an id that no database takes"}));
    time.run_for(1s);
    EXPECT_THAT(store.with_ids, ElementsAre(true, false));
    EXPECT_THAT(answers, ElementsAre("failed 0"));
}

TEST_F(ChunkBatcherTest, AStopEndsTheTries) {
    store.record_faults.assign(100, Errc::store_unavailable);
    record(0);
    time.run_for(1s);
    batcher->stop();
    time.run_for(10s);
    EXPECT_THAT(answers, ElementsAre("failed 0"));
    EXPECT_EQ(time.waiting(), 0U);
}

}  // namespace
}  // namespace fanfare
