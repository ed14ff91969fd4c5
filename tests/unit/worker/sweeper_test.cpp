#include "worker/sweep/sweeper.hpp"

#include "core/clock/timer.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ledger::ClaimedChunk lost_chunk(const std::string& begun) {
    ledger::ClaimedChunk chunk;
    chunk.key = {"job", Channel::push, 3};
    chunk.recipients_literal = "{a,b}";
    postgres::parse_array(chunk.recipients_literal, chunk.recipients);
    for (auto* const bytes : {&chunk.outcomes, &chunk.reasons, &chunk.attempts, &chunk.causes}) {
        bytes->assign(2, '\0');
    }
    chunk.begun = begun;
    return chunk;
}

/// A ledger that answers at once, or is away.
class LedgerStub final : public SweepStore, public ChunkStore {
public:
    template <class T>
    using Later = asio::awaitable<Result<T>>;

    Later<bool> has_work() override {
        if (is_away) co_return fail(Errc::store_unavailable, "look");
        co_return !is_at_rest;
    }
    Later<std::vector<ledger::ClaimedChunk>> take_over(int, std::chrono::milliseconds) override {
        ++takeovers;
        co_return std::exchange(stalled, {});
    }
    Later<std::vector<ledger::ClaimedChunk>> claim_ended(int, std::chrono::milliseconds) override {
        ++looks_for_ended;
        co_return std::exchange(ended, {});
    }
    Later<SweptJob> job(const std::string&) override {
        if (is_away) co_return fail(Errc::store_unavailable, "load");
        co_return SweptJob{};
    }
    Later<std::vector<ledger::Overdue>> take_overdue(std::span<const ledger::Room> rooms,
                                                     std::chrono::milliseconds) override {
        for (const auto& room : rooms) asked_for.insert(room.channel);
        co_return std::exchange(overdue, {});
    }
    Later<std::vector<ledger::UnplannedJob>> unplanned(int) override {
        co_return std::exchange(unplanned_jobs, {});
    }
    Later<std::vector<ledger::EndedJob>> close_jobs() override {
        co_return std::vector<ledger::EndedJob>{};
    }
    Later<void> read_suppressions(int) override { co_return Result<void>{}; }

    Later<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest>,
                                                   std::chrono::milliseconds,
                                                   std::int64_t) override {
        co_return std::vector<ledger::ClaimedChunk>{};
    }
    Later<WrittenChunks> mark(std::span<const ledger::ChunkMark>) override {
        co_return WrittenChunks{};
    }
    Later<WrittenChunks> record(std::span<const ledger::ChunkRecord> words) override {
        WrittenChunks written;
        for (const auto& word : words) {
            records.push_back(word);
            written.keys.push_back(word.key);
        }
        co_return written;
    }
    Later<bool> split(const ledger::ChunkClaim&, ledger::ChunkPeople&,
                      std::span<const ledger::Split>) override {
        co_return false;
    }
    Later<bool> is_cancelled(const std::string&) override { co_return false; }

    bool is_away = false, is_at_rest = false;
    int takeovers = 0, looks_for_ended = 0;
    std::vector<ledger::ClaimedChunk> stalled, ended;
    std::vector<ledger::Overdue> overdue;
    std::vector<ledger::UnplannedJob> unplanned_jobs;
    std::vector<ledger::ChunkRecord> records;
    std::set<Channel> asked_for;
};

class SweeperTest : public ::testing::Test {
protected:
    SweeperTest() {
        time.attach(loop);
        batcher.emplace(loop.get_executor(), ledger,
                        ChunkBatcher::Options{60s, [] { return std::int64_t{1}; }});
        dispatcher.emplace(loop.get_executor(), time, std::chrono::seconds{30});
        sweeper.emplace(
            Sweeper::Parts{loop.get_executor(), ledger, time, *batcher, *dispatcher,
                           [](Channel channel) { return channel == Channel::push; }, probe,
                           [this](const std::string& job, Lane) { plans.push_back(job); },
                           [this] { return note_early(); }},
            settings);
        test::begin(loop, sweeper->run());
    }
    ~SweeperTest() override {
        sweeper->stop();
        time.run_for(1min);
    }
    asio::awaitable<void> note_early() {
        ++early;
        co_return;
    }

    VirtualTime time{TimePoint{}};
    LedgerStub ledger;
    WorkerSettings settings;
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    std::vector<std::string> plans;
    int early = 0;
    asio::io_context loop{1};
    std::optional<ChunkBatcher> batcher;
    std::optional<Dispatcher> dispatcher;
    std::optional<Sweeper> sweeper;
};

TEST_F(SweeperTest, ALostChunkIsDoubtedOnlyOfThoseWhoHadBegun) {
    ledger.stalled.push_back(lost_chunk({'\1', '\0'}));
    time.run_for(10s);
    ASSERT_EQ(ledger.records.size(), 1U);
    const auto& record = ledger.records.front();
    EXPECT_TRUE(record.taken_over);
    EXPECT_FALSE(record.done) << "the other one is still to be told";
    EXPECT_EQ(static_cast<Outcome>(record.outcomes[0]), Outcome::unknown);
    EXPECT_FALSE(is_final(static_cast<Outcome>(record.outcomes[1])));
}

TEST_F(SweeperTest, AtFirstAndAfterAnOutageWhoLivesMayRecordBeforeAnythingIsTakenOver) {
    time.run_for(4s);
    EXPECT_EQ(ledger.takeovers, 0) << "nobody knows how long it had been away";
    time.run_for(3s);
    EXPECT_GT(ledger.takeovers, 0);
    ledger.is_away = true;
    time.run_for(20s);
    const auto before = ledger.takeovers;
    time.run_for(20s);
    EXPECT_EQ(ledger.takeovers, before);
    ledger.is_away = false;
    time.run_for(30s);
    EXPECT_EQ(ledger.takeovers, before) << "it had been away for longer than that";
    time.run_for(15s);
    EXPECT_GT(ledger.takeovers, before);
}

TEST_F(SweeperTest, FetchesWhatIsOverdueWhereAnAccountCanServeIt) {
    ledger.overdue.push_back({{"job", Channel::push, 1}, Lane::normal});
    time.run_for(2s);
    EXPECT_THAT(ledger.asked_for, ElementsAre(Channel::push));
    EXPECT_EQ(dispatcher->waiting(), 1U);
}

TEST_F(SweeperTest, HandsUnplannedJobsOnAndAppliesEarlyReceipts) {
    ledger.unplanned_jobs.push_back({"j1", Lane::bulk});
    time.run_for(10s);
    EXPECT_THAT(plans, ElementsAre("j1"));
    EXPECT_EQ(early, 11) << "at once, and each second";
}

TEST_F(SweeperTest, ALedgerAtRestIsAskedForThatAlone) {
    ledger.is_at_rest = true;
    time.run_for(100s);
    EXPECT_EQ(early, 11) << "at once, and each tenth time";
    EXPECT_EQ(ledger.looks_for_ended, 11);
    ledger.is_at_rest = false;
    time.run_for(3s);
    EXPECT_GE(early, 13);
}

TEST_F(SweeperTest, NothingExpiresWhileEverythingIsHeld) {
    dispatcher->set_held(true);
    const auto before = ledger.looks_for_ended;
    time.run_for(10s);
    EXPECT_EQ(ledger.looks_for_ended, before);
    EXPECT_THAT(ledger.asked_for, IsEmpty());
    dispatcher->set_held(false);
    time.run_for(2s);
    EXPECT_GT(ledger.looks_for_ended, before);
}

}  // namespace
}  // namespace fanfare
