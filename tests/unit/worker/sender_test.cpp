// The order of a chunk's steps, and what is done where one of them fails. What comes back from
// providers is tests/simulation's.
#include "worker/send/sender.hpp"

#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Steps = std::vector<std::string>;

class MuteProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "mute"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    void compose(const Batch&, HttpRequest& out) const override { out = {}; }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        return {};
    }
};

/// A ledger with one chunk, and a system whose people have no address; each notes its step.
class SenderTest : public ::testing::Test,
                   public ChunkStore,
                   public RateBucket,
                   public JobStore,
                   public ContactSource,
                   public DeadAddresses {
protected:
    SenderTest() {
        time.attach(loop);
        auto context = std::make_shared<JobContext>();
        context->system = &system;
        context->kind = &kind;
        job = std::move(context);
        settings.channels[static_cast<std::size_t>(Channel::push)].chunk_recipients_max = 2;
        AccountSettings phones;
        phones.name = "phones";
        phones.channel = Channel::push;
        std::vector<std::unique_ptr<Account>> accounts;
        accounts.push_back(std::make_unique<Account>(
            loop.get_executor(),
            Account::Parts{phones, std::make_shared<MuteProvider>(), *this, time, account_probe}));
        selector.emplace(std::move(accounts));
        batcher.emplace(loop.get_executor(), *this,
                        ChunkBatcher::Options{60s, [] { return std::int64_t{1}; }});
        dispatcher.emplace(loop.get_executor(), time, std::chrono::seconds{30});
        sender.emplace(
            Sender::Parts{loop.get_executor(), *dispatcher, *batcher, *this, *this, *this, *this,
                          *selector, pauses, references, time, probe, [] { return 0.0; },
                          [this](const kafka::Received&) { steps.push_back("finished"); }},
            settings);
        test::begin(loop, sender->run_lane(Channel::push));
        chunk.emplace();
        chunk->key = {"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::push, 3};
        chunk->job_created_at = time.now();
        chunk->recipients_literal = "{a,b}";
        postgres::parse_array(chunk->recipients_literal, chunk->recipients);
        for (auto* const bytes :
             {&chunk->outcomes, &chunk->reasons, &chunk->attempts, &chunk->causes}) {
            bytes->assign(2, '\0');
        }
    }
    ~SenderTest() override {
        dispatcher->stop();
        sender->stop();
        account().pacer().stop();
        batcher->stop();
        time.run_for(5min);
    }
    Account& account() { return *selector->find("phones"); }
    void push() {
        Descriptor descriptor;
        descriptor.key = chunk->key;
        descriptor.record.emplace();
        ASSERT_EQ(dispatcher->push(Lane::normal, std::move(descriptor)), Pushed::kept);
    }

    Answer<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest>,
                                                    std::chrono::milliseconds,
                                                    std::int64_t) override {
        steps.push_back("claim");
        std::vector<ledger::ClaimedChunk> claimed;
        if (chunk) claimed.push_back(std::move(*chunk));
        chunk.reset();
        co_return claimed;
    }
    Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark>) override {
        steps.push_back("mark");
        co_return WrittenChunks{};
    }
    Answer<WrittenChunks> record(std::span<const ledger::ChunkRecord> words) override {
        steps.push_back("record");
        WrittenChunks written;
        for (const auto& word : words) {
            records.push_back(word);
            if (is_ours) written.keys.push_back(word.key);
        }
        co_return written;
    }
    Answer<bool> split(const ledger::ChunkClaim&, ledger::ChunkPeople&,
                       std::span<const ledger::Split>) override {
        co_return false;
    }
    Answer<bool> is_cancelled(const std::string&) override { co_return false; }
    asio::awaitable<Result<ledger::Slice>> lease(const std::string&, double,
                                                 std::uint32_t tokens) override {
        co_return ledger::Slice{0us, tokens};
    }
    asio::awaitable<Result<std::chrono::microseconds>> block(const std::string&,
                                                             std::chrono::milliseconds) override {
        co_return 0us;
    }
    asio::awaitable<Result<Context>> load(const std::string&) override {
        steps.push_back("job");
        if (job_fault) co_return fail(*job_fault, "load a job");
        co_return job;
    }
    asio::awaitable<Result<ContactsRead>> load(const Claim&, const ledger::ChunkPeople& people,
                                               Resolved& resolved) override {
        steps.push_back("contacts");
        resolved.clear(people.outcomes.size());
        resolved.fates.assign(people.outcomes.size(),
                              {Outcome::no_address, Reason::address_missing});
        resolved.exclusions.assign(people.outcomes.size(), Exclusion::none);
        if (system_fault) co_return fail(*system_fault, "load contacts");
        co_return ContactsRead::whole;
    }
    asio::awaitable<Result<void>> suppress(const Claim&, const ledger::ChunkPeople&, Resolved&,
                                           const std::function<void()>& compose) override {
        steps.push_back("suppressions");
        compose();
        co_return Result<void>{};
    }
    asio::awaitable<void> tell(const Claim&, std::vector<std::string>) override { co_return; }

    VirtualTime time{TimePoint{1'800'000'000s}};
    Steps steps;
    std::optional<ledger::ClaimedChunk> chunk;
    bool is_ours = true;
    std::optional<Errc> job_fault, system_fault;
    std::vector<ledger::ChunkRecord> records;
    System system;
    Kind kind;
    Context job;
    WorkerSettings settings;
    Pauses pauses;
    References references{Secret{}};
    prometheus::Registry registry;
    AccountProbe account_probe{registry, "phones", Channel::push};
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    asio::io_context loop{1};
    std::optional<AccountSelector> selector;
    std::optional<ChunkBatcher> batcher;
    std::optional<Dispatcher> dispatcher;
    std::optional<Sender> sender;
};

TEST_F(SenderTest, TheClaimComesBeforeWhatIsReadOfPeople) {
    push();
    time.run_for(1s);
    EXPECT_THAT(steps,
                ElementsAre("claim", "job", "contacts", "suppressions", "record", "finished"));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_TRUE(records[0].done);
    EXPECT_EQ(records[0].outcomes, std::string(2, static_cast<char>(Outcome::no_address)));
}

TEST_F(SenderTest, NothingIsClaimedWhileTheProviderHasUsWait) {
    account().pacer().hold(10min);
    push();
    time.run_for(9min);
    EXPECT_THAT(steps, IsEmpty());
    time.run_for(2min);
    EXPECT_EQ(steps.back(), "finished");
}

TEST_F(SenderTest, NothingIsClaimedThatTheRateHasNoRoomFor) {
    account().pacer().set_rate(1);
    time.settle();
    test::begin(loop, account().pacer().ready(2));  // Another lane's, for two seconds of the rate.
    time.settle();
    push();
    time.run_for(1h);
    EXPECT_THAT(steps, IsEmpty());
    account().pacer().release(2);
    time.run_for(1s);
    EXPECT_EQ(steps.back(), "finished");
}

TEST_F(SenderTest, NothingIsClaimedWhileNoAccountCanServe) {
    account().set_held(true);
    push();
    time.run_for(1h);
    EXPECT_THAT(steps, IsEmpty());
    account().set_held(false);
    time.run_for(2s);
    EXPECT_EQ(steps.back(), "finished");
}

TEST_F(SenderTest, WhoStopsWhileItWaitsClaimsNothing) {
    account().set_held(true);
    push();
    time.run_for(1min);
    dispatcher->stop();
    sender->stop();
    time.run_for(1min);
    EXPECT_THAT(steps, ElementsAre("finished")) << "the ledger has the chunk";
}

TEST_F(SenderTest, AChunkThatIsSomebodyElsesNeedsNothingMore) {
    push();
    chunk.reset();
    time.run_for(1s);
    EXPECT_THAT(steps, ElementsAre("claim", "finished"));
}

TEST_F(SenderTest, OfAJobThatIsOverNobodyIsLookedUp) {
    push();
    chunk->job_cancelled = true;
    time.run_for(1s);
    EXPECT_THAT(steps, ElementsAre("claim", "job", "record", "finished"));
    EXPECT_TRUE(records[0].done);
    EXPECT_EQ(records[0].outcomes, std::string(2, static_cast<char>(Outcome::cancelled)));
}

TEST_F(SenderTest, AJobThatExpiredWhileItsChunkWaitedTellsNobody) {
    auto expired = std::make_shared<JobContext>();
    expired->system = &system;
    expired->kind = &kind;
    expired->job.expires_at = time.now() + 1min;
    job = expired;
    account().pacer().hold(2min);
    push();
    time.run_for(5min);
    EXPECT_THAT(steps, ElementsAre("claim", "job", "record", "finished"));
    EXPECT_EQ(records[0].outcomes, std::string(2, static_cast<char>(Outcome::expired)));
}

TEST_F(SenderTest, NobodyExpiresBecauseTheLedgersClockJumped) {
    auto later = std::make_shared<JobContext>();
    later->system = &system;
    later->kind = &kind;
    later->job.expires_at = time.now() + 1min;
    job = later;
    chunk->job_expired = true;  // As the claim says, by a clock that is an hour ahead.
    push();
    time.run_for(1s);
    EXPECT_EQ(records.at(0).outcomes, std::string(2, static_cast<char>(Outcome::no_address)));
}

TEST_F(SenderTest, NobodyExpiresWhileNobodyCanSayWhenTheirJobDoes) {
    job_fault = Errc::store_unavailable;
    chunk->job_expired = true;
    push();
    time.run_for(1s);
    EXPECT_FALSE(records.at(0).done);
}

TEST_F(SenderTest, OfAJobThatNobodyKnowsTheClaimSaysThatItIsTooLate) {
    job_fault = Errc::job_rejected;
    chunk->job_expired = true;
    push();
    time.run_for(1s);
    EXPECT_EQ(records.at(0).outcomes, std::string(2, static_cast<char>(Outcome::expired)));
}

TEST_F(SenderTest, WhereNobodyCanSayWhatAJobIsItsChunkIsPutBack) {
    job_fault = Errc::store_unavailable;
    push();
    time.run_for(1s);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_FALSE(records[0].done);
    EXPECT_EQ(records[0].next_in, 30s);
    EXPECT_EQ(records[0].failures, 0) << "nobody is to blame";
    EXPECT_EQ(steps.back(), "finished");
}

TEST_F(SenderTest, WhereNobodyCanSayWhatAJobIsNoChunkEnds) {
    job_fault = Errc::store_unavailable;
    chunk->outcomes = std::string(2, static_cast<char>(Outcome::no_address));
    push();
    time.run_for(1s);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_FALSE(records[0].done) << "whom another channel should tell only the job says";
    EXPECT_EQ(records[0].next_in, 30s);
}

TEST_F(SenderTest, AJobThatIsNotConfiguredWaitsForSomebodyToMendThat) {
    job_fault = Errc::job_rejected;
    push();
    time.run_for(1s);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_FALSE(records[0].done);
    EXPECT_EQ(records[0].failures, 1);
}

TEST_F(SenderTest, WhereTheSystemsDatabaseIsAwayTheChunkIsPutBackAsItWas) {
    system_fault = Errc::store_unavailable;
    push();
    time.run_for(1s);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_FALSE(records[0].done);
    EXPECT_GT(records[0].next_in, 0s);
    EXPECT_EQ(records[0].failures, 0);
    EXPECT_EQ(records[0].outcomes, std::string(2, '\0'));
}

TEST_F(SenderTest, WhatIsHeldBackIsNotBegun) {
    pauses.learn({{ledger::Paused::job, chunk->key.job}});
    push();
    time.run_for(1s);
    EXPECT_THAT(steps, ElementsAre("claim", "job", "record", "finished"));
    EXPECT_FALSE(records[0].done);
}

TEST_F(SenderTest, AChunkThatWasLostMeanwhileIsFinishedAllTheSame) {
    is_ours = false;
    push();
    time.run_for(1s);
    EXPECT_EQ(steps.back(), "finished") << "whoever has it now records it";
}

}  // namespace
}  // namespace fanfare
