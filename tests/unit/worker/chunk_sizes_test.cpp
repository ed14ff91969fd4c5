#include "worker/plan/chunk_sizes.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

constexpr auto email = static_cast<std::size_t>(Channel::email);
constexpr auto sms = static_cast<std::size_t>(Channel::sms);

/// Its rate counts people, or requests of at most so many.
class CountingProvider final : public Provider {
public:
    CountingProvider(RateUnit unit, std::size_t batch) : unit_{unit}, batch_{batch} {}
    [[nodiscard]] std::string_view type() const noexcept override { return "counting"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return batch_; }
    [[nodiscard]] RateUnit rate_unit() const noexcept override { return unit_; }
    void compose(const Batch&, HttpRequest& out) const override { out = {}; }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        return {};
    }

private:
    RateUnit unit_;
    std::size_t batch_;
};

class ChunkSizesTest : public ::testing::Test {
protected:
    ChunkSizesTest() {
        for (auto& channel : settings.worker.channels) channel.chunk_recipients_max = 500;
    }
    void open(const std::string& name, double rate, RateUnit unit, std::size_t batch = 10) {
        AccountSettings account;
        account.name = name;
        account.channel = Channel::email;
        account.rate.per_second = rate;
        accounts.push_back(std::make_unique<Account>(
            context.get_executor(),
            Account::Parts{account, std::make_unique<CountingProvider>(unit, batch), bucket, clock,
                           probe}));
    }
    Planner::Sizes sizes() { return chunk_sizes(settings, AccountSelector{std::move(accounts)}); }

    boost::asio::io_context context{1};
    postgres::Pool pool{Secret{"host=127.0.0.1 port=1"}, {}, 1};
    LedgerRateBucket bucket{pool};
    ManualClock clock{TimePoint{}};
    prometheus::Registry registry;
    AccountProbe probe{registry, "mail", Channel::email};
    std::vector<std::unique_ptr<Account>> accounts;
    Settings settings;
};

TEST_F(ChunkSizesTest, WithoutARateTheSettingSays) {
    open("mail", 0, RateUnit::requests);
    EXPECT_EQ(sizes()[email], 500U);
}

TEST_F(ChunkSizesTest, TwoSecondsOfTheRateOfRequestsAreTheirWholeBatches) {
    open("mail", 3, RateUnit::requests);
    const auto found = sizes();
    EXPECT_EQ(found[email], 60U);
    EXPECT_EQ(found[sms], 500U);
}

TEST_F(ChunkSizesTest, TwoSecondsOfTheRateOfPeopleAreSoManyPeople) {
    open("mail", 30, RateUnit::recipients);
    EXPECT_EQ(sizes()[email], 60U);
}

TEST_F(ChunkSizesTest, SeveralFitIntoTheRateWhereEachPersonIsARequest) {
    open("texts", 200, RateUnit::requests, 1);
    EXPECT_EQ(sizes()[email], 100U);
    open("slow texts", 20, RateUnit::requests, 1);
    EXPECT_EQ(sizes()[email], 32U) << "but none is smaller for that";
    open("slower texts", 5, RateUnit::requests, 1);
    EXPECT_EQ(sizes()[email], 10U) << "two seconds of it";
}

TEST_F(ChunkSizesTest, TheSlowestAccountOfAChannelDecides) {
    open("fast", 100'000, RateUnit::recipients);
    open("slow", 20, RateUnit::recipients);
    EXPECT_EQ(sizes()[email], 40U);
}

TEST_F(ChunkSizesTest, HoweverSlowAnAccountAChunkHoldsSomebody) {
    open("slow", 0.01, RateUnit::recipients);
    EXPECT_EQ(sizes()[email], 1U);
}

}  // namespace
}  // namespace fanfare
