#include "worker/send/flight.hpp"

#include "tests/support/coroutines.hpp"
#include "worker/send/settle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using ::testing::ElementsAre;

/// Composes requests to a port where nobody listens.
class DeadEndProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "deadend"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    void compose(const Batch&, HttpRequest& out) const override { out = {}; }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        BatchAnswer answer;
        answer.verdict = Verdict::transient;
        answer.reason = Reason::not_sent;
        return answer;
    }
};

/// One chunk of push recipients, each with some devices, on an account that answers nothing.
class FlightTest : public ::testing::Test {
protected:
    FlightTest() {
        AccountSettings settings;
        settings.name = "phones";
        settings.channel = Channel::push;
        account = std::make_unique<Account>(
            context.get_executor(),
            Account::Parts{settings, std::make_unique<DeadEndProvider>(), pool, clock, probe});
        work.lease_ends = clock.moment() + std::chrono::seconds{60};
        work.provider = account->provider();
    }

    /// Recipient i has `devices[i]` devices that are to be served.
    void people(const std::vector<std::uint32_t>& devices) {
        work.chunk.key = {"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::push, 0};
        work.chunk.outcomes.assign(devices.size(), '\0');
        work.chunk.reasons.assign(devices.size(), '\0');
        work.chunk.attempts.assign(devices.size(), '\0');
        work.resolved.fates.assign(devices.size(), {});
        for (std::uint32_t i = 0; i < devices.size(); ++i) {
            for (std::uint32_t device = 0; device < devices[i]; ++device) {
                work.resolved.targets.push_back({i, 0, "token"});
            }
        }
        auto& group = work.letters.groups.emplace_back(std::make_unique<Letters::Group>());
        for (const auto& target : work.resolved.targets) {
            auto& letter = work.letters.letters.emplace_back();
            letter.first = static_cast<std::uint32_t>(group->targets.size());
            letter.count = 1;
            letter.request.url = "https://127.0.0.1:1/";
            letter.request.body = "x";
            group->targets.push_back(&target);
            group->messages.push_back({});
        }
    }

    std::string fly() {
        Flight flight{context.get_executor(), *account, work, clock};
        test::run(context, flight.fly());
        settle_pass(work);
        return work.chunk.outcomes;
    }

    [[nodiscard]] bool nobody_lost_an_attempt() const {
        return work.chunk.attempts == std::string(work.chunk.outcomes.size(), '\0');
    }

    boost::asio::io_context context{1};
    postgres::Pool pool{Secret{"host=127.0.0.1 port=1"}, {}, 1};
    ManualClock clock{TimePoint{}};
    prometheus::Registry registry;
    AccountProbe probe{registry, "phones", Channel::push};
    std::unique_ptr<Account> account;
    Work work;
};

TEST_F(FlightTest, NothingIsBegunThatCouldOutlastTheLease) {
    people({1, 1});
    clock.advance(std::chrono::seconds{50});  // 10 s are left, as much as one request may take.
    EXPECT_THAT(fly(), ElementsAre(char(Outcome::pending), char(Outcome::pending)));
    EXPECT_EQ(account->http().in_flight(), 0U);
    EXPECT_TRUE(nobody_lost_an_attempt());
}

TEST_F(FlightTest, NothingIsBegunOnAPausedAccount) {
    people({1});
    account->pause(std::chrono::seconds{30}, "test");
    EXPECT_THAT(fly(), ElementsAre(char(Outcome::pending)));
}

TEST_F(FlightTest, GivesItsPermitsBack) {
    people(std::vector<std::uint32_t>(100, 1));
    account->pause(std::chrono::seconds{30}, "test");
    fly();
    test::run(context, account->permits().take());
}

TEST_F(FlightTest, ReadsTheAnswerOfEachRequest) {
    people({1, 1});
    EXPECT_THAT(fly(), ElementsAre(char(Outcome::retry), char(Outcome::retry)));
    EXPECT_EQ(work.chunk.attempts, std::string(2, '\1'));
}

TEST_F(FlightTest, APersonWithADeviceThatWasNotTriedIsNotGivenUp) {
    people({1, 1, 1});
    // The first device of each was dropped before; the second one is still to be tried.
    work.resolved.fates = {{Outcome::no_address, Reason::address_missing},
                           {Outcome::suppressed, Reason::on_suppression_list},
                           {Outcome::unknown, Reason::answer_lost}};
    account->pause(std::chrono::seconds{30}, "test");
    const auto outcomes = fly();
    EXPECT_FALSE(is_final(static_cast<Outcome>(outcomes[0])));
    EXPECT_FALSE(is_final(static_cast<Outcome>(outcomes[1])));
    EXPECT_EQ(outcomes[2], char(Outcome::unknown)) << "doubt forbids another try all the same";
    EXPECT_TRUE(nobody_lost_an_attempt());
}

}  // namespace
}  // namespace fanfare
