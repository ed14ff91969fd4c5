// What sending a chunk does with answers that ask for more than one verdict for all.
#include "tests/support/coroutines.hpp"
#include "worker/send/chunk_send.hpp"
#include "worker/send/settle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
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
        account = std::make_unique<Account>(
            context.get_executor(), Account::Parts{settings, provider, bucket, clock, probe});
        claim.lease_ends = clock.steady_now() + std::chrono::seconds{60};
        pass.provider = provider;
        job->kind = &kind;
        claim.job = job;
    }

    void people(const std::vector<std::string>& names) {
        ids = names;
        claim.key = {"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::email, 0};
        recipients.outcomes.assign(names.size(), '\0');
        recipients.reasons.assign(names.size(), '\0');
        recipients.attempts.assign(names.size(), '\0');
        recipients.causes.assign(names.size(), '\0');
        pass.resolved.fates.assign(names.size(), {});
        auto& group =
            pass.requests.groups.emplace_back(std::make_unique<ComposedRequests::Group>());
        for (std::uint32_t i = 0; i < names.size(); ++i) {
            pass.resolved.targets.push_back({i, 0, ids[i], ids[i]});
        }
        for (const auto& target : pass.resolved.targets) {
            group->targets.push_back(&target);
            group->messages.push_back({ids[target.recipient], ids[target.recipient], nullptr, ""});
        }
        auto& composed = pass.requests.requests.emplace_back();
        composed.count = static_cast<std::uint32_t>(names.size());
        composed.tokens = composed.count;
        compose_request(claim, *provider, *group, composed);
    }

    boost::asio::awaitable<Marked> take(ledger::ChunkMark mark) {
        marks.push_back(std::move(mark));
        co_return Marked::ours;
    }

    /// Good answers, as after a while.
    void prove() {
        BatchAnswer good;
        good.verdict = Verdict::ok;
        for (int i = 0; i < 3; ++i) answered(good, 1);
        ASSERT_TRUE(account->breaker().is_proven(clock.steady_now()));
    }
    void answered(const BatchAnswer& answer, std::size_t people) {
        const auto era = account->breaker().begin(people, clock.steady_now());
        account->answered(answer, people, era);
    }

    /// The same, each in a request of their own.
    void people_one_by_one(const std::vector<std::string>& names) {
        people(names);
        pass.requests.requests.clear();
        for (std::uint32_t i = 0; i < names.size(); ++i) {
            auto& composed = pass.requests.requests.emplace_back();
            composed.first = i;
            composed.count = 1;
            compose_request(claim, *provider, *pass.requests.groups[0], composed);
        }
    }

    std::vector<Outcome> run() {
        const Marker marker = [this](ledger::ChunkMark mark) { return take(std::move(mark)); };
        const ChunkSpan span{nullptr, claim, 0, {}};
        ChunkSend sending{{context.get_executor(), *account, clock, pauses, marker, span},
                          claim,
                          recipients,
                          pass};
        test::run(context, sending.run());
        settle_pass(recipients, pass);
        std::vector<Outcome> outcomes;
        for (const char c : recipients.outcomes) outcomes.push_back(static_cast<Outcome>(c));
        return outcomes;
    }

    [[nodiscard]] bool nobody_lost_an_attempt() const {
        return recipients.attempts == std::string(recipients.outcomes.size(), '\0');
    }

    boost::asio::io_context context{1};
    postgres::Pool pool{Secret{"host=127.0.0.1 port=1"}, {}, 1};
    LedgerRateBucket bucket{pool};
    ManualClock clock{TimePoint{}};
    prometheus::Registry registry;
    AccountProbe probe{registry, "mail", Channel::email};
    std::shared_ptr<ScriptedProvider> provider = std::make_shared<ScriptedProvider>();
    std::unique_ptr<Account> account;
    Kind kind;
    std::shared_ptr<JobContext> job = std::make_shared<JobContext>();
    std::vector<std::string> ids;
    Claim claim;
    Recipients recipients;
    Pass pass;
    Pauses pauses;
    std::vector<ledger::ChunkMark> marks;
};

std::vector<std::string> suppressed(const std::vector<ledger::NewSuppression>& all) {
    std::vector<std::string> words;
    for (const auto& one : all) words.push_back(one.address + " " + one.reason);
    return words;
}

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
    EXPECT_THAT(run(),
                ElementsAre(Outcome::sent, Outcome::refused, Outcome::sent, Outcome::refused));
    EXPECT_THAT(provider->composed,
                ElementsAre(ElementsAre("a", "b", "c", "d"), ElementsAre("a", "c")));
    EXPECT_TRUE(nobody_lost_an_attempt()) << "nothing was sent the first time";
    EXPECT_THAT(pass.dead, ElementsAre("b"));
    ASSERT_EQ(marks.size(), 2U);
    EXPECT_THAT(suppressed(marks[1].suppressions), ElementsAre("b address_invalid"));
    EXPECT_THAT(recipients.suppressions, IsEmpty()) << "the mark has told the ledger";
}

TEST_F(FlightAnswersTest, WhereAllWereNamedNothingIsSentAgain) {
    people({"a"});
    auto named = answer_of(Verdict::transient);
    named.exceptions = {{0, Verdict::perm_rcpt, Reason::recipient_refused, ""}};
    named.resend_rest = true;
    provider->answers = {named};
    EXPECT_THAT(run(), ElementsAre(Outcome::refused));
    EXPECT_EQ(provider->composed.size(), 1U);
}

TEST_F(FlightAnswersTest, HalvesUntilTheUnnamedOneIsFound) {
    people({"a", "b", "c", "d"});
    auto refused = answer_of(Verdict::perm_req, Reason::request_refused);
    refused.split = true;
    // abcd, then ab (good), cd (refused), c (good), d (refused by itself).
    provider->answers = {refused, answer_of(Verdict::ok), refused, answer_of(Verdict::ok),
                         answer_of(Verdict::suppress, Reason::address_invalid)};
    EXPECT_THAT(run(), ElementsAre(Outcome::sent, Outcome::sent, Outcome::sent, Outcome::refused));
    EXPECT_THAT(pass.dead, ElementsAre("d"));
}

TEST_F(FlightAnswersTest, WhoToldTheProviderToStopIsRefusedAndNotDead) {
    people({"a"});
    provider->answers = {answer_of(Verdict::suppress, Reason::consent_withdrawn)};
    EXPECT_THAT(run(), ElementsAre(Outcome::refused));
    EXPECT_EQ(static_cast<Reason>(recipients.reasons[0]), Reason::consent_withdrawn);
    EXPECT_THAT(suppressed(recipients.suppressions), ElementsAre("a unsubscribed"));
    EXPECT_THAT(pass.dead, IsEmpty());
}

TEST_F(FlightAnswersTest, AHoldOfOneAddressHoldsBackNobodyElse) {
    people({"a"});
    auto hold = answer_of(Verdict::throttle, Reason::throttled);
    hold.recipient_only = true;
    hold.retry_after = milliseconds{60'000};
    provider->answers = {hold};
    EXPECT_THAT(run(), ElementsAre(Outcome::retry));
    EXPECT_EQ(pass.throttled_for, milliseconds{0});
    EXPECT_EQ(pass.recipients_wait, milliseconds{60'000});
    EXPECT_TRUE(nobody_lost_an_attempt());
}

TEST_F(FlightAnswersTest, ThrottlingOfTheAccountIsTold) {
    people({"a"});
    auto slow = answer_of(Verdict::throttle, Reason::throttled);
    slow.retry_after = milliseconds{5'000};
    slow.fewer_requests = true;
    provider->answers = {slow};
    const auto before = account->permits().limit();
    EXPECT_THAT(run(), ElementsAre(Outcome::retry));
    EXPECT_EQ(pass.throttled_for, milliseconds{5'000});
    EXPECT_EQ(account->pacer().blocked_for(), milliseconds{5'000}) << "of all chunks, at once";
    EXPECT_EQ(account->permits().limit(), before / 2);
    EXPECT_TRUE(nobody_lost_an_attempt());
}

TEST_F(FlightAnswersTest, AStaleCredentialIsRenewedOnceAndTheLetterWrittenAgain) {
    people({"a"});
    auto stale = answer_of(Verdict::config, Reason::account_unusable);
    stale.renew_credential = true;
    provider->answers = {stale};
    EXPECT_THAT(run(), ElementsAre(Outcome::sent));
    EXPECT_EQ(provider->renewals, 1);
    EXPECT_EQ(provider->composed.size(), 2U);
    EXPECT_FALSE(pass.refusal);
}

TEST_F(FlightAnswersTest, AStaleCredentialThatStaysStaleStopsTheAccount) {
    people({"a"});
    auto stale = answer_of(Verdict::config, Reason::account_unusable);
    stale.renew_credential = true;
    provider->answers = {stale, stale};
    EXPECT_THAT(run(), ElementsAre(Outcome::retry));
    EXPECT_TRUE(pass.refusal);
    EXPECT_TRUE(nobody_lost_an_attempt());
    EXPECT_THAT(pass.dead, IsEmpty());
}

BatchAnswer refusal_of_us() {
    auto refusal = answer_of(Verdict::perm_rcpt, Reason::recipient_refused);
    refusal.of_us = "relay denied";
    return refusal;
}

TEST_F(FlightAnswersTest, WhatSeveralServersSayOfUsStopsTheAccountAndCostsNobody) {
    people_one_by_one({"a@one.example", "b@two.example", "c@three.example"});
    provider->answers = {refusal_of_us(), refusal_of_us(), refusal_of_us()};
    EXPECT_THAT(run(), ElementsAre(Outcome::retry, Outcome::retry, Outcome::retry));
    EXPECT_TRUE(pass.refusal);
    EXPECT_TRUE(nobody_lost_an_attempt());
    EXPECT_THAT(pass.dead, IsEmpty());
}

TEST_F(FlightAnswersTest, WhatOneServerSaysOfUsCostsItsOwnPeopleOnly) {
    people_one_by_one({"a@one.example", "b@one.example"});
    provider->answers = {refusal_of_us(), refusal_of_us()};
    EXPECT_THAT(run(), ElementsAre(Outcome::retry, Outcome::retry));
    EXPECT_FALSE(pass.refusal);
    EXPECT_EQ(pass.throttled_for, milliseconds{0});
    EXPECT_EQ(pass.recipients_wait, SenderRefusals::settle);
    clock.advance(SenderRefusals::settle);
    pass.resolved.fates.assign(2, {});  // As the next pass finds them.
    provider->answers = {refusal_of_us(), refusal_of_us()};
    EXPECT_THAT(run(), ElementsAre(Outcome::refused, Outcome::refused));
    EXPECT_FALSE(pass.refusal);
    EXPECT_THAT(pass.dead, IsEmpty()) << "nobody is suppressed for it";
}

TEST_F(FlightAnswersTest, OneServersDemandForALoginCostsItsOwnPeopleOnly) {
    auto demand = answer_of(Verdict::config, Reason::account_unusable);
    demand.of_us = "login needed";
    people_one_by_one({"a@one.example", "b@two.example"});
    provider->answers = {answer_of(Verdict::ok), demand};
    EXPECT_THAT(run(), ElementsAre(Outcome::sent, Outcome::retry));
    EXPECT_FALSE(pass.refusal);
    EXPECT_EQ(pass.recipients_wait, SenderRefusals::settle);
    clock.advance(SenderRefusals::settle);
    pass.resolved.fates.assign(2, {});  // As the next pass finds them.
    provider->answers = {answer_of(Verdict::ok), demand};
    EXPECT_THAT(run(), ElementsAre(Outcome::sent, Outcome::refused));
    EXPECT_FALSE(pass.refusal);
    EXPECT_THAT(pass.dead, IsEmpty());
}

TEST_F(FlightAnswersTest, AnAccountThatKeepsFailingIsLeftAlone) {
    for (int i = 0; i < 10; ++i) answered(answer_of(Verdict::ambiguous), 1);
    people({"a"});
    EXPECT_THAT(run(), ElementsAre(Outcome::pending)) << "not even begun";
    EXPECT_TRUE(nobody_lost_an_attempt());
    clock.advance(std::chrono::seconds{3});
    EXPECT_THAT(run(), ElementsAre(Outcome::sent)) << "the probe";
    EXPECT_TRUE(account->is_usable());
}

TEST_F(FlightAnswersTest, NobodysAttemptsAreUsedUpByOthers) {
    people({"often", "never"});
    recipients.attempts[0] = 4;
    provider->answers = {answer_of(Verdict::transient)};
    EXPECT_THAT(run(), ElementsAre(Outcome::retry, Outcome::retry));
    EXPECT_TRUE(waits_for_account(recipients));
    EXPECT_EQ(count_faults(recipients, claim.attempts_max), 5);
    EXPECT_EQ(recipients.outcomes, (std::string{char(Outcome::failed), char(Outcome::retry)}));
    EXPECT_EQ(recipients.attempts, (std::string{5, 1}));
    EXPECT_EQ(recipients.causes[0], char(Reason::provider_unavailable)) << "the last real cause";
    EXPECT_FALSE(waits_for_account(recipients));
}

TEST_F(FlightAnswersTest, AnAccountThatIsNotProvenIsAskedForFew) {
    std::vector<std::string> many;
    for (int i = 0; i < 1'000; ++i) many.push_back("p" + std::to_string(i));
    people(many);
    const auto outcomes = run();
    EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), Outcome::sent), 1'000);
    provider->composed.erase(provider->composed.begin());  // The whole request, before.
    std::vector<std::size_t> sizes;
    for (const auto& composed : provider->composed) sizes.push_back(composed.size());
    ASSERT_GE(sizes.size(), 3U);
    EXPECT_EQ(sizes[0], 10U);
    EXPECT_EQ(sizes[1], 100U);
    EXPECT_LE(sizes.size(), 5U) << "and soon for all at once";
}

TEST_F(FlightAnswersTest, AProvenAccountIsAskedForAllAtOnce) {
    prove();
    people(std::vector<std::string>(1'000, "p"));
    run();
    EXPECT_EQ(provider->composed.size(), 1U);
}

TEST_F(FlightAnswersTest, AStalledProviderCostsFewPeople) {
    std::vector<std::string> many;
    for (int i = 0; i < 1'000; ++i) many.push_back("p" + std::to_string(i));
    people(many);
    provider->answers.assign(100, answer_of(Verdict::ambiguous));
    const auto outcomes = run();
    EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), Outcome::unknown), 30);
    EXPECT_TRUE(account->is_shut());
    EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), Outcome::pending), 970);
    clock.advance(std::chrono::seconds{3});
    provider->composed.clear();
    pass.requests.requests.resize(1);
    run();
    ASSERT_GE(provider->composed.size(), 1U);
    EXPECT_EQ(provider->composed.back().size(), 1U) << "half open: one person";
}

TEST_F(FlightAnswersTest, WhoeverIsAskedForFirstIsAnotherOneEachTime) {
    people({"a", "b", "c"});
    for (int i = 0; i < 10; ++i) answered(answer_of(Verdict::transient), 1);
    std::set<std::string> asked;
    for (int i = 0; i < 3; ++i) {
        clock.advance(std::chrono::minutes{2});
        claim.lease_ends = clock.steady_now() + std::chrono::seconds{60};
        provider->composed.clear();
        provider->answers = {answer_of(Verdict::transient)};
        run();
        asked.insert(provider->composed.front().front());
    }
    EXPECT_EQ(asked.size(), 3U);
}

}  // namespace
}  // namespace fanfare
