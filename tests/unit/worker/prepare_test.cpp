#include "worker/send/prepare.hpp"

#include "core/clock/signal.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Prepared = Preparation::Prepared;

class NoProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "none"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    void compose(const Batch&, HttpRequest& out) const override { out = {}; }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        return {};
    }
};

/// Databases that fail when told to. Nobody has an address.
class PreparationTest : public ::testing::Test,
                        public ContactSource,
                        public RateBucket,
                        public ChunkStore {
protected:
    PreparationTest() {
        auto job = std::make_shared<JobContext>();
        job->system = &system;
        job->kind = &kind;
        claim_in_hand.job = std::move(job);
        claim_in_hand.key = {"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::push, 0};
        for (auto* const bytes :
             {&people.outcomes, &people.reasons, &people.attempts, &people.causes}) {
            bytes->assign(1, '\0');
        }
        AccountSettings settings;
        settings.channel = Channel::push;
        account = std::make_unique<Account>(
            loop.get_executor(),
            Account::Parts{settings, std::make_shared<NoProvider>(), *this, time, probe});
    }

    asio::awaitable<Result<ContactsRead>> load(const Claim&, const ledger::ChunkPeople&,
                                               Resolved& resolved) override {
        ++questions;
        if (answers) co_await answers->wait();
        resolved.clear(1);
        resolved.fates.assign(1, {});
        if (system_fault) co_return fail(*system_fault, "load contacts");
        co_return read;
    }
    asio::awaitable<Result<void>> suppress(const Claim&, const ledger::ChunkPeople&, Resolved&,
                                           const std::function<void()>& compose) override {
        if (ledger_fault) co_return fail(*ledger_fault, "suppress");
        compose();
        co_return Result<void>{};
    }
    asio::awaitable<Result<ledger::Slice>> lease(const std::string&, double,
                                                 std::uint32_t) override {
        co_return ledger::Slice{};
    }
    asio::awaitable<Result<std::chrono::microseconds>> block(const std::string&,
                                                             std::chrono::milliseconds) override {
        co_return std::chrono::microseconds{0};
    }
    Answer<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest>,
                                                    std::chrono::milliseconds,
                                                    std::int64_t) override {
        co_return std::vector<ledger::ClaimedChunk>{};
    }
    Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark>) override {
        co_return WrittenChunks{};
    }
    Answer<WrittenChunks> record(std::span<const ledger::ChunkRecord>) override {
        co_return WrittenChunks{};
    }
    Answer<bool> split(const ledger::ChunkClaim&, ledger::ChunkPeople&,
                       std::span<const ledger::Split>) override {
        co_return false;
    }
    Answer<bool> is_cancelled(const std::string&) override { co_return false; }

    Prepared prepare() {
        Pass pass;
        return test::run(loop, preparation.prepare(claim_in_hand, people, pass, *account));
    }
    asio::awaitable<void> prepare_into(std::optional<Prepared>& found) {
        Pass pass;
        found = co_await preparation.prepare(claim_in_hand, people, pass, *account);
    }

    VirtualTime time{TimePoint{}};
    asio::io_context loop{1};
    prometheus::Registry registry;
    AccountProbe probe{registry, "phones", Channel::push};
    std::unique_ptr<Account> account;
    References references{Secret{}};
    System system;
    Kind kind;
    Claim claim_in_hand;
    Recipients people;
    std::optional<Errc> system_fault, ledger_fault;
    ContactsRead read = ContactsRead::whole;
    int questions = 0;
    std::optional<Signal> answers;  // Until then nobody is answered.
    Preparation preparation{{*this, *this, references, time}};
};

TEST_F(PreparationTest, NothingStandsInTheWayWhereAllAnswer) {
    EXPECT_EQ(prepare().setback, Setback::none);
}

TEST_F(PreparationTest, ASystemThatIsAwayIsNotAskedForAWhileLongerEachTime) {
    system_fault = Errc::store_unavailable;
    EXPECT_EQ(prepare().away_for, 1s);
    time.stand_still(999ms);
    EXPECT_EQ(prepare().away_for, 1ms);
    EXPECT_EQ(questions, 1) << "nobody asked";
    for (const auto expected : {2s, 4s, 8s, 16s, 30s, 30s}) {
        time.stand_still(30s);
        const auto prepared = prepare();
        EXPECT_EQ(prepared.setback, Setback::system_away);
        EXPECT_EQ(prepared.away_for, expected);
    }
    time.stand_still(30s);
    system_fault.reset();
    EXPECT_EQ(prepare().setback, Setback::none);
    system_fault = Errc::store_unavailable;
    EXPECT_EQ(prepare().away_for, 1s) << "it had answered";
}

TEST_F(PreparationTest, OneAsksWhetherItIsThereAgain) {
    system_fault = Errc::store_unavailable;
    EXPECT_EQ(prepare().setback, Setback::system_away);
    time.stand_still(1s);
    answers.emplace(loop.get_executor());
    std::optional<Prepared> first;
    test::begin(loop, prepare_into(first));
    test::settle(loop);
    EXPECT_EQ(prepare().setback, Setback::system_away);
    EXPECT_EQ(questions, 2) << "it waits for nobody";
    system_fault.reset();
    answers->notify();
    test::settle(loop);
    answers.reset();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->setback, Setback::none);
    EXPECT_EQ(prepare().setback, Setback::none);
}

TEST_F(PreparationTest, WhereItStaysAwayItIsAskedAgainInTime) {
    system_fault = Errc::store_unavailable;
    for (const auto wait : {0s, 1s, 2s, 4s}) {
        time.stand_still(wait);
        EXPECT_EQ(prepare().setback, Setback::system_away);
    }
    EXPECT_EQ(questions, 4);
}

TEST_F(PreparationTest, AQueryThatFailsIsNoOutage) {
    system_fault = Errc::store_rejected;
    EXPECT_EQ(prepare().setback, Setback::query_fails);
    EXPECT_EQ(prepare().setback, Setback::query_fails);
    EXPECT_EQ(questions, 2) << "it is asked each time";
}

TEST_F(PreparationTest, SaysHowTheQueryEnded) {
    read = ContactsRead::fails;
    EXPECT_EQ(prepare().setback, Setback::query_fails);
    read = ContactsRead::slow;
    EXPECT_EQ(prepare().setback, Setback::query_slow);
    read = ContactsRead::part;
    EXPECT_EQ(prepare().setback, Setback::query_partial);
}

TEST_F(PreparationTest, TellsALedgerThatIsAwayFromOneThatRefuses) {
    ledger_fault = Errc::store_timeout;
    EXPECT_EQ(prepare().setback, Setback::ledger_away);
    ledger_fault = Errc::store_rejected;
    EXPECT_EQ(prepare().setback, Setback::ledger_refuses);
}

}  // namespace
}  // namespace fanfare
