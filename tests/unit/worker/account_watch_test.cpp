#include "worker/send/account_watch.hpp"

#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class IdleProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "idle"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    void compose(const Batch&, HttpRequest& out) const override { out = {}; }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        return {};
    }
};

/// Each slice begins at once.
class OpenBucket final : public RateBucket {
public:
    asio::awaitable<Result<ledger::Slice>> lease(const std::string&, double per_second,
                                                 std::uint32_t tokens) override {
        rates.push_back(per_second);
        co_return ledger::Slice{0us, tokens};
    }
    asio::awaitable<Result<std::chrono::microseconds>> block(const std::string&,
                                                             std::chrono::milliseconds) override {
        co_return 0us;
    }
    std::vector<double> rates;
};

/// What operators and other replicas say, and what is told of this one.
class Fleet final : public FleetStore {
public:
    Answer<ledger::FleetState> read() override {
        ++looks;
        if (is_away) co_return fail(Errc::store_unavailable, "look at what is held back");
        co_return state;
    }
    Answer<void> tell(const std::string& worker,
                      std::span<const ledger::AccountHealth> news) override {
        EXPECT_EQ(worker, "w1");
        for (const auto& one : news) told.push_back(one.account + " " + one.breaker);
        co_return Result<void>{};
    }
    bool is_away = false;
    ledger::FleetState state;
    int looks = 0;
    std::vector<std::string> told;
};

class AccountWatchTest : public ::testing::Test {
protected:
    AccountWatchTest() {
        time.attach(loop);
        std::vector<std::unique_ptr<Account>> accounts;
        for (const auto* const name : {"a", "b"}) {
            AccountSettings settings;
            settings.name = name;
            settings.channel = Channel::push;
            settings.rate.per_second = 10;
            accounts.push_back(std::make_unique<Account>(
                loop.get_executor(),
                Account::Parts{settings, std::make_unique<IdleProvider>(), bucket, time, probe}));
        }
        selector.emplace(std::move(accounts));
        dispatcher.emplace(loop.get_executor(), time, std::chrono::seconds{30});
        watch.emplace(AccountWatch::Parts{fleet, *selector, pauses, *dispatcher, time, "w1"});
        test::begin(loop, watch->run());
    }
    ~AccountWatchTest() override {
        watch->stop();
        time.run_for(1min);
    }
    Account& account(std::string_view name) { return *selector->find(name); }
    /// How long somebody waits for the account's rate.
    std::chrono::nanoseconds wait_for(Account& of) {
        const auto begun = time.steady_now();
        bool is_ready = false;
        const auto ready = [](Account& account, bool& done) -> asio::awaitable<void> {
            co_await account.pacer().ready(1);
            done = true;
        };
        test::begin(loop, ready(of, is_ready));
        while (!is_ready && time.steady_now() < begun + 1h) time.run_for(10ms);
        return time.steady_now() - begun;
    }

    /// At which a slice is leased for its next request.
    double leased_rate(Account& of) {
        bucket.rates.clear();
        const auto reserve = [](Account& account, SteadyTime latest) -> asio::awaitable<void> {
            std::ignore = co_await account.pacer().reserve(1, latest);
        };
        test::begin(loop, reserve(of, time.steady_now() + 10s));
        time.run_for(1s);
        return bucket.rates.empty() ? 0 : bucket.rates.back();
    }

    VirtualTime time{TimePoint{1'800'000'000s}};
    Fleet fleet;
    OpenBucket bucket;
    prometheus::Registry registry;
    AccountProbe probe{registry, "phones", Channel::push};
    Pauses pauses;
    asio::io_context loop{1};
    std::optional<AccountSelector> selector;
    std::optional<Dispatcher> dispatcher;
    std::optional<AccountWatch> watch;
};

TEST_F(AccountWatchTest, WhatOperatorsHoldBackIsHeldWithinASecondAndLetGo) {
    fleet.state.paused = {{ledger::Paused::account, "a"}};
    time.run_for(1s);
    EXPECT_FALSE(account("a").is_usable());
    EXPECT_TRUE(account("b").is_usable());
    fleet.state.paused = {{ledger::Paused::channel, "push"}};
    time.run_for(1s);
    EXPECT_FALSE(account("b").is_usable());
    fleet.state.paused.clear();
    time.run_for(1s);
    EXPECT_TRUE(account("a").is_usable());
    EXPECT_TRUE(account("b").is_usable());
}

TEST_F(AccountWatchTest, WhileTheLedgerIsAwayWhatWasSaidLastHolds) {
    fleet.state.paused = {{ledger::Paused::account, "a"}};
    time.run_for(1s);
    fleet.is_away = true;
    fleet.state.paused.clear();
    time.run_for(1h);
    EXPECT_FALSE(account("a").is_usable());
    EXPECT_GE(fleet.looks, 7'000);
}

TEST_F(AccountWatchTest, WhatAProviderAskedOneReplicaToWaitForAllWaitFor) {
    fleet.state.blocked = {{"a", 20s}, {"of another version", 20s}};
    time.run_for(600ms);
    fleet.state.blocked.clear();
    EXPECT_GE(wait_for(account("a")), 19s);
    EXPECT_LE(wait_for(account("b")), 1s);
}

TEST_F(AccountWatchTest, ARateThatAnOperatorSetsHoldsUntilItIsTakenBack) {
    fleet.state.rates["a"] = 3;
    time.run_for(1s);
    EXPECT_NEAR(leased_rate(account("a")), 3, 0.1);
    EXPECT_NEAR(leased_rate(account("b")), 10, 0.5);
    fleet.state.rates.clear();
    time.run_for(1s);
    EXPECT_NEAR(leased_rate(account("a")), 10, 0.5);
}

TEST_F(AccountWatchTest, TellsOfAllAtFirstAndThenOfWhatChanged) {
    time.run_for(5'100ms);
    EXPECT_THAT(fleet.told, ElementsAre("a closed", "b closed"));
    fleet.told.clear();
    time.run_for(1min);
    EXPECT_THAT(fleet.told, IsEmpty());
    account("b").pause(12s, "its credential was refused");
    time.run_for(5s);
    EXPECT_THAT(fleet.told, ElementsAre("b closed"));
    time.run_for(5s);
    EXPECT_THAT(fleet.told, ElementsAre("b closed", "b closed"));
    time.run_for(5s);
    EXPECT_THAT(fleet.told, ElementsAre("b closed", "b closed", "b closed")) << "it is over";
    time.run_for(1min);
    EXPECT_EQ(fleet.told.size(), 3U);
}

}  // namespace
}  // namespace fanfare
