#include "worker/send/account_selector.hpp"

#include "tests/support/coroutines.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <map>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SilentProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "silent"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 10; }
    void compose(const Batch&, HttpRequest& out) const override { out = {}; }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        return {};
    }
};

class AccountSelectorTest : public ::testing::Test {
protected:
    void open(const std::vector<std::pair<std::string, std::uint32_t>>& weights,
              Channel channel = Channel::email) {
        for (const auto& [name, weight] : weights) {
            AccountSettings settings;
            settings.name = name;
            settings.channel = channel;
            settings.weight = weight;
            accounts.push_back(std::make_unique<Account>(
                context.get_executor(), Account::Parts{settings, std::make_unique<SilentProvider>(),
                                                       bucket, clock, probe}));
        }
    }
    AccountSelector& selector() {
        if (!selector_) selector_.emplace(std::move(accounts));
        return *selector_;
    }
    std::map<std::string, int> turns(int count) {
        std::map<std::string, int> turns;
        for (int i = 0; i < count; ++i) {
            const auto* const account = selector().next(Channel::email);
            ++turns[account == nullptr ? "" : account->settings().name];
        }
        return turns;
    }
    void fail(std::string_view name, int answers) {
        BatchAnswer lost;
        lost.verdict = Verdict::ambiguous;
        auto& account = *selector().find(name);
        for (int i = 0; i < answers; ++i) {
            account.answered(lost, 1, account.breaker().begin(1, clock.steady_now()));
        }
    }

    boost::asio::io_context context{1};
    postgres::Pool pool{Secret{"host=127.0.0.1 port=1"}, {}, 1};
    LedgerRateBucket bucket{pool};
    ManualClock clock{TimePoint{}};
    prometheus::Registry registry;
    AccountProbe probe{registry, "mail", Channel::email};
    std::vector<std::unique_ptr<Account>> accounts;
    std::optional<AccountSelector> selector_;
};

using Turns = std::map<std::string, int>;

TEST_F(AccountSelectorTest, AccountsServeByTheirWeights) {
    open({{"a", 3}, {"b", 1}});
    EXPECT_EQ(turns(4), (Turns{{"a", 3}, {"b", 1}}));
    EXPECT_EQ(turns(400), (Turns{{"a", 300}, {"b", 100}}));
}

TEST_F(AccountSelectorTest, AnAccountOfWeightZeroServesOnlyWhileNoOtherCan) {
    open({{"spare", 0}, {"main", 1}});
    EXPECT_EQ(turns(5), (Turns{{"main", 5}}));
    selector().find("main")->pause(seconds{30}, "test");
    EXPECT_EQ(turns(5), (Turns{{"spare", 5}}));
    clock.advance(seconds{31});
    EXPECT_EQ(turns(5), (Turns{{"main", 5}}));
}

TEST_F(AccountSelectorTest, WorkMovesAwayFromAnAccountThatKeepsFailing) {
    open({{"a", 1}, {"b", 1}});
    fail("a", 10);
    EXPECT_EQ(turns(6), (Turns{{"b", 6}}));
}

TEST_F(AccountSelectorTest, NewCredentialsEndAPause) {
    open({{"a", 1}});
    selector().find("a")->pause(seconds{30}, "wrong key");
    EXPECT_EQ(turns(1), (Turns{{"", 1}}));
    selector().find("a")->reload(std::make_shared<SilentProvider>());
    EXPECT_EQ(turns(1), (Turns{{"a", 1}}));
}

TEST_F(AccountSelectorTest, OtherChannelsServeNobodyHere) {
    open({{"sms", 1}}, Channel::sms);
    EXPECT_EQ(selector().next(Channel::email), nullptr);
    EXPECT_EQ(selector().wait(Channel::email), seconds{1});
}

TEST_F(AccountSelectorTest, TellsHowLongToWaitForTheFirstThatMayServe) {
    open({{"a", 1}, {"b", 1}});
    selector().find("a")->pause(milliseconds{700}, "test");
    selector().find("b")->pause(milliseconds{300}, "test");
    EXPECT_EQ(selector().wait(Channel::email), milliseconds{300});
}

TEST_F(AccountSelectorTest, CountsTokensInTheProvidersUnit) {
    open({{"a", 1}});
    EXPECT_EQ(selector().find("a")->tokens_for(1), 1U);
    EXPECT_EQ(selector().find("a")->tokens_for(10), 1U);
    EXPECT_EQ(selector().find("a")->tokens_for(11), 2U);
}

TEST_F(AccountSelectorTest, AnAccountIsAtFaultUntilItHasServedSomebody) {
    open({{"a", 1}});
    auto& account = *selector().find("a");
    const auto says = [&](Verdict verdict, bool resend_rest = false) {
        BatchAnswer answer;
        answer.verdict = verdict;
        answer.resend_rest = resend_rest;
        account.answered(answer, 1, account.breaker().begin(1, clock.steady_now()));
    };
    EXPECT_FALSE(account.serves()) << "nobody knows yet";
    for (const auto good :
         {Verdict::ok, Verdict::suppress, Verdict::perm_rcpt, Verdict::perm_req}) {
        says(good);
        EXPECT_TRUE(account.serves()) << to_string(good);
        says(Verdict::transient);
        EXPECT_FALSE(account.serves());
        says(Verdict::throttle);
        says(Verdict::config);
        EXPECT_FALSE(account.serves()) << "neither says that it serves anybody";
    }
    says(Verdict::transient, true);
    EXPECT_TRUE(account.serves()) << "it named those at fault";
}

}  // namespace
}  // namespace fanfare
