// What the flight of a chunk does with answers that ask for more than one verdict for all.
#include "tests/support/coroutines.hpp"
#include "worker/send/flight.hpp"
#include "worker/send/settle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Notes whom each request was for, and answers from a list; then everything is taken.
class ScriptedProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "scripted"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1'000; }
    void compose(const Batch& batch, HttpRequest& out) const override {
        out = {};
        out.url = "https://127.0.0.1:1/";
        out.body = "x";
        auto& people = composed.emplace_back();
        for (const auto& message : batch.messages) people.emplace_back(message.recipient);
    }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        BatchAnswer answer;
        answer.verdict = Verdict::ok;
        if (answers.empty()) return answer;
        answer = answers.front();
        answers.pop_front();
        return answer;
    }
    void renew(const HttpAnswer&) override { ++renewals; }

    mutable std::deque<BatchAnswer> answers;
    mutable std::vector<std::vector<std::string>> composed;
    int renewals = 0;
};

/// A chunk of people, all in one request.
class FlightAnswersTest : public ::testing::Test {
protected:
    FlightAnswersTest() {
        AccountSettings settings;
        settings.name = "mail";
        account = std::make_unique<Account>(context.get_executor(),
                                            Account::Parts{settings, provider, pool, clock, probe});
        work.lease_ends = clock.moment() + std::chrono::seconds{60};
        work.provider = provider;
        job->kind = &kind;
        work.job = job;
    }

    void people(const std::vector<std::string>& names) {
        ids = names;
        work.chunk.key = {"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::email, 0};
        work.chunk.outcomes.assign(names.size(), '\0');
        work.chunk.reasons.assign(names.size(), '\0');
        work.chunk.attempts.assign(names.size(), '\0');
        work.resolved.fates.assign(names.size(), {});
        auto& group = work.letters.groups.emplace_back(std::make_unique<Letters::Group>());
        for (std::uint32_t i = 0; i < names.size(); ++i) {
            work.resolved.targets.push_back({i, 0, ids[i]});
        }
        for (const auto& target : work.resolved.targets) {
            group->targets.push_back(&target);
            group->messages.push_back({ids[target.recipient], ids[target.recipient], nullptr, ""});
        }
        auto& letter = work.letters.letters.emplace_back();
        letter.count = static_cast<std::uint32_t>(names.size());
        letter.tokens = letter.count;
        compose_letter(*work.job, work.chunk.key, *provider, *group, letter);
    }

    std::vector<Outcome> fly() {
        Flight flight{context.get_executor(), *account, work, clock};
        test::run(context, flight.fly());
        settle_pass(work);
        std::vector<Outcome> outcomes;
        for (const char c : work.chunk.outcomes) outcomes.push_back(static_cast<Outcome>(c));
        return outcomes;
    }

    [[nodiscard]] bool nobody_lost_an_attempt() const {
        return work.chunk.attempts == std::string(work.chunk.outcomes.size(), '\0');
    }

    boost::asio::io_context context{1};
    postgres::Pool pool{Secret{"host=127.0.0.1 port=1"}, {}, 1};
    ManualClock clock{TimePoint{}};
    prometheus::Registry registry;
    AccountProbe probe{registry, "mail", Channel::email};
    std::shared_ptr<ScriptedProvider> provider = std::make_shared<ScriptedProvider>();
    std::unique_ptr<Account> account;
    Kind kind;
    std::shared_ptr<JobContext> job = std::make_shared<JobContext>();
    std::vector<std::string> ids;
    Work work;
};

BatchAnswer answer_of(Verdict verdict, Reason reason = Reason::none) {
    BatchAnswer answer;
    answer.verdict = verdict;
    answer.reason = reason;
    return answer;
}

TEST_F(FlightAnswersTest, TheOthersOfACallAreSentAgainWithoutThoseWhoWereNamed) {
    people({"a", "b", "c", "d"});
    auto named = answer_of(Verdict::transient);
    named.exceptions = {{1, Verdict::suppress, Reason::address_invalid, ""},
                        {3, Verdict::perm_rcpt, Reason::recipient_refused, ""}};
    named.resend_rest = true;
    provider->answers = {named};
    EXPECT_THAT(fly(),
                ElementsAre(Outcome::sent, Outcome::refused, Outcome::sent, Outcome::refused));
    EXPECT_THAT(provider->composed,
                ElementsAre(ElementsAre("a", "b", "c", "d"), ElementsAre("a", "c")));
    EXPECT_TRUE(nobody_lost_an_attempt()) << "nothing was sent the first time";
    EXPECT_THAT(work.dead, ElementsAre("b"));
}

TEST_F(FlightAnswersTest, WhereAllWereNamedNothingIsSentAgain) {
    people({"a"});
    auto named = answer_of(Verdict::transient);
    named.exceptions = {{0, Verdict::perm_rcpt, Reason::recipient_refused, ""}};
    named.resend_rest = true;
    provider->answers = {named};
    EXPECT_THAT(fly(), ElementsAre(Outcome::refused));
    EXPECT_EQ(provider->composed.size(), 1U);
}

TEST_F(FlightAnswersTest, HalvesUntilTheUnnamedOneIsFound) {
    people({"a", "b", "c", "d"});
    auto refused = answer_of(Verdict::perm_req, Reason::request_refused);
    refused.split = true;
    // abcd, then ab (good), cd (refused), c (good), d (refused by itself).
    provider->answers = {refused, answer_of(Verdict::ok), refused, answer_of(Verdict::ok),
                         answer_of(Verdict::suppress, Reason::address_invalid)};
    EXPECT_THAT(fly(), ElementsAre(Outcome::sent, Outcome::sent, Outcome::sent, Outcome::refused));
    EXPECT_THAT(work.dead, ElementsAre("d"));
}

TEST_F(FlightAnswersTest, AHoldOfOneAddressHoldsBackNobodyElse) {
    people({"a"});
    auto hold = answer_of(Verdict::throttle, Reason::throttled);
    hold.recipient_only = true;
    hold.retry_after = milliseconds{60'000};
    provider->answers = {hold};
    EXPECT_THAT(fly(), ElementsAre(Outcome::retry));
    EXPECT_EQ(work.throttled_for, milliseconds{0});
    EXPECT_EQ(work.recipients_wait, milliseconds{60'000});
    EXPECT_TRUE(nobody_lost_an_attempt());
}

TEST_F(FlightAnswersTest, ThrottlingOfTheAccountIsTold) {
    people({"a"});
    auto slow = answer_of(Verdict::throttle, Reason::throttled);
    slow.retry_after = milliseconds{5'000};
    slow.fewer_requests = true;
    provider->answers = {slow};
    const auto before = account->permits().limit();
    EXPECT_THAT(fly(), ElementsAre(Outcome::retry));
    EXPECT_EQ(work.throttled_for, milliseconds{5'000});
    EXPECT_EQ(account->permits().limit(), before / 2);
    EXPECT_TRUE(nobody_lost_an_attempt());
}

TEST_F(FlightAnswersTest, AStaleCredentialIsRenewedOnceAndTheLetterWrittenAgain) {
    people({"a"});
    auto stale = answer_of(Verdict::config, Reason::account_unusable);
    stale.renew_credential = true;
    provider->answers = {stale};
    EXPECT_THAT(fly(), ElementsAre(Outcome::sent));
    EXPECT_EQ(provider->renewals, 1);
    EXPECT_EQ(provider->composed.size(), 2U);
    EXPECT_FALSE(work.account_refused);
}

TEST_F(FlightAnswersTest, AStaleCredentialThatStaysStaleStopsTheAccount) {
    people({"a"});
    auto stale = answer_of(Verdict::config, Reason::account_unusable);
    stale.renew_credential = true;
    provider->answers = {stale, stale};
    EXPECT_THAT(fly(), ElementsAre(Outcome::retry));
    EXPECT_TRUE(work.account_refused);
    EXPECT_TRUE(nobody_lost_an_attempt());
    EXPECT_THAT(work.dead, IsEmpty());
}

TEST_F(FlightAnswersTest, AnAccountThatKeepsFailingIsLeftAlone) {
    for (int i = 0; i < 10; ++i) account->answered(answer_of(Verdict::ambiguous));
    people({"a"});
    EXPECT_THAT(fly(), ElementsAre(Outcome::pending)) << "not even begun";
    EXPECT_TRUE(nobody_lost_an_attempt());
    clock.advance(std::chrono::seconds{3});
    EXPECT_THAT(fly(), ElementsAre(Outcome::sent)) << "the probe";
    EXPECT_TRUE(account->is_usable());
}

TEST_F(FlightAnswersTest, NobodysAttemptsAreUsedUpByOthers) {
    people({"often", "never"});
    work.chunk.attempts[0] = 4;
    provider->answers = {answer_of(Verdict::transient)};
    EXPECT_THAT(fly(), ElementsAre(Outcome::failed, Outcome::retry));
    EXPECT_EQ(work.chunk.attempts, (std::string{5, 1}));
}

}  // namespace
}  // namespace fanfare
