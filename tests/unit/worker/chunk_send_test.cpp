#include "worker/send/chunk_send.hpp"

#include "tests/support/coroutines.hpp"
#include "worker/send/settle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using ::testing::ElementsAre;

/// What becomes of each request.
struct Answers {
    Verdict verdict = Verdict::transient;
    std::function<void()> at_each;
};

/// Composes requests to a port where nobody listens.
class DeadEndProvider final : public Provider {
public:
    explicit DeadEndProvider(const Answers& answers) : answers_{answers} {}
    [[nodiscard]] std::string_view type() const noexcept override { return "deadend"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    void compose(const Batch&, HttpRequest& out) const override { out = {}; }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        BatchAnswer answer;
        answer.verdict = answers_.verdict;
        if (answer.verdict != Verdict::ok) answer.reason = Reason::not_sent;
        if (answers_.at_each) answers_.at_each();
        return answer;
    }

private:
    const Answers& answers_;
};

/// One chunk of push recipients, each with some devices, on an account that answers nothing.
class ChunkSendTest : public ::testing::Test {
protected:
    ChunkSendTest() {
        AccountSettings settings;
        settings.name = "phones";
        settings.channel = Channel::push;
        account = std::make_unique<Account>(
            context.get_executor(),
            Account::Parts{settings, std::make_unique<DeadEndProvider>(answers), bucket, clock,
                           probe});
        claim.lease_ends = clock.steady_now() + std::chrono::seconds{60};
        pass.provider = account->provider();
        claim.job = std::make_shared<JobContext>();
    }

    /// Recipient i has `devices[i]` devices that are to be served.
    void people(const std::vector<std::uint32_t>& devices) {
        claim.key = {"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::push, 0};
        recipients.outcomes.assign(devices.size(), '\0');
        recipients.reasons.assign(devices.size(), '\0');
        recipients.attempts.assign(devices.size(), '\0');
        recipients.causes.assign(devices.size(), '\0');
        pass.resolved.fates.assign(devices.size(), {});
        for (std::uint32_t i = 0; i < devices.size(); ++i) {
            for (std::uint32_t device = 0; device < devices[i]; ++device) {
                pass.resolved.targets.push_back({i, 0, "token"});
            }
        }
        auto& group =
            pass.requests.groups.emplace_back(std::make_unique<ComposedRequests::Group>());
        for (const auto& target : pass.resolved.targets) {
            auto& composed = pass.requests.requests.emplace_back();
            composed.first = static_cast<std::uint32_t>(group->targets.size());
            composed.count = 1;
            composed.request.url = "https://127.0.0.1:1/";
            composed.request.body = "x";
            group->targets.push_back(&target);
            group->messages.push_back({});
        }
    }

    /// Late: whoever does not wait for it has begun by then.
    boost::asio::awaitable<Marked> answer(ledger::ChunkMark mark) {
        for (int i = 0; i < 100; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
        if (marks.empty()) begun_before_first = recipients.has_begun;
        begun_at_marks.push_back(account->http().in_flight());
        marks.push_back(std::move(mark));
        if (at_mark) at_mark();
        co_return marks.size() < last_mark ? Marked::ours : at_last_mark;
    }

    std::string run() {
        const Marker marker = [this](ledger::ChunkMark mark) { return answer(std::move(mark)); };
        const ChunkSpan span{nullptr, claim, 0, {}};
        ChunkSend sending{{context.get_executor(), *account, clock, pauses, marker, span},
                          claim,
                          recipients,
                          pass};
        test::run(context, sending.run());
        settle_pass(recipients, pass);
        return recipients.outcomes;
    }

    /// The account has served somebody: many requests may be under way.
    void prove() {
        auto& breaker = account->breaker();
        for (int i = 0; i < 3; ++i) {
            const auto now = clock.steady_now();
            breaker.answered(breaker.begin(1, now), true, 1, now);
        }
    }

    [[nodiscard]] bool nobody_lost_an_attempt() const {
        return recipients.attempts == std::string(recipients.outcomes.size(), '\0');
    }

    Answers answers;
    boost::asio::io_context context{1};
    postgres::Pool pool{Secret{"host=127.0.0.1 port=1"}, {}, 1};
    LedgerRateBucket bucket{pool};
    ManualClock clock{TimePoint{}};
    prometheus::Registry registry;
    AccountProbe probe{registry, "phones", Channel::push};
    std::unique_ptr<Account> account;
    Claim claim;
    Recipients recipients;
    Pass pass;
    Pauses pauses;
    std::vector<ledger::ChunkMark> marks;
    std::vector<std::size_t> begun_at_marks;  // Requests that were under way at each.
    std::function<void()> at_mark;
    bool begun_before_first = false;
    std::size_t last_mark = 1'000'000;  // From this one on the answer is ...
    Marked at_last_mark = Marked::lost;
};

TEST_F(ChunkSendTest, NothingIsBegunThatCouldOutlastTheLease) {
    people({1, 1});
    clock.advance(std::chrono::seconds{50});  // 10 s are left, as much as one request may take.
    EXPECT_THAT(run(), ElementsAre(char(Outcome::pending), char(Outcome::pending)));
    EXPECT_EQ(account->http().in_flight(), 0U);
    EXPECT_TRUE(nobody_lost_an_attempt());
}

TEST_F(ChunkSendTest, NothingIsBegunOnAPausedAccount) {
    people({1});
    account->pause(std::chrono::seconds{30}, "test");
    EXPECT_THAT(run(), ElementsAre(char(Outcome::pending)));
}

TEST_F(ChunkSendTest, NothingIsBegunOnAnAccountThatIsHeld) {
    people({1});
    account->set_held(true);
    EXPECT_FALSE(account->is_usable());
    EXPECT_THAT(run(), ElementsAre(char(Outcome::pending)));
    EXPECT_THAT(marks, ::testing::IsEmpty());
    account->set_held(false);
    EXPECT_THAT(run(), ElementsAre(char(Outcome::retry)));
}

TEST_F(ChunkSendTest, WhatTheLedgerCallsPausedIsLeftAsItWas) {
    people({1, 1});
    last_mark = 1;
    at_last_mark = Marked::paused;
    EXPECT_THAT(run(), ElementsAre(char(Outcome::pending), char(Outcome::pending)));
    EXPECT_EQ(pass.ended_by, Marked::paused) << "it is put back";
    EXPECT_FALSE(recipients.has_begun);
    EXPECT_TRUE(nobody_lost_an_attempt());
}

TEST_F(ChunkSendTest, NothingMoreIsBegunOfAJobThatIsPausedMeanwhile) {
    people({1, 1});
    auto job = std::make_shared<JobContext>();
    job->job.system = "shows";
    job->job.kind = "show.reminder";
    claim.job = job;
    EXPECT_FALSE(holds_back(pauses, claim));
    pauses.learn({{ledger::Paused::kind, "shows/other"}, {ledger::Paused::job, "another"}});
    EXPECT_FALSE(holds_back(pauses, claim));
    at_mark = [&] { pauses.learn({{ledger::Paused::kind, "shows/show.reminder"}}); };
    EXPECT_THAT(run(), ElementsAre(char(Outcome::pending), char(Outcome::pending)));
    EXPECT_TRUE(holds_back(pauses, claim));
    EXPECT_FALSE(recipients.has_begun) << "though it was marked";
    pauses.learn({{ledger::Paused::job, claim.key.job}});
    EXPECT_TRUE(holds_back(pauses, claim));
    pauses.learn({});
    EXPECT_FALSE(holds_back(pauses, claim));
}

TEST_F(ChunkSendTest, GivesItsPermitsBack) {
    people(std::vector<std::uint32_t>(100, 1));
    const auto free = account->permits().free(false);
    run();
    EXPECT_EQ(account->permits().free(false), free);
    at_last_mark = Marked::away;
    last_mark = marks.size() + 1;
    run();
    EXPECT_EQ(account->permits().free(false), free);
    EXPECT_EQ(account->breaker().room(clock.steady_now() + std::chrono::hours{1}), 1U)
        << "and nobody is counted as under way";
}

TEST_F(ChunkSendTest, ReadsTheAnswerOfEachRequest) {
    people({1, 1});
    EXPECT_THAT(run(), ElementsAre(char(Outcome::retry), char(Outcome::retry)));
    EXPECT_TRUE(nobody_lost_an_attempt()) << "nobody knows yet whose fault it was";
    EXPECT_EQ(count_faults(recipients, claim.attempts_max), 1) << "the account serves others";
    EXPECT_EQ(recipients.attempts, std::string(2, '\1'));
    EXPECT_EQ(count_faults(recipients, claim.attempts_max), 0) << "counted once";
}

TEST_F(ChunkSendTest, NothingIsBegunBeforeTheLedgerKnows) {
    people({1, 1, 1});
    run();
    ASSERT_FALSE(marks.empty());
    EXPECT_EQ(begun_at_marks.front(), 0U);
    EXPECT_FALSE(begun_before_first);
    std::string ever(3, '\0');
    for (const auto& mark : marks) {
        EXPECT_EQ(mark.account, "phones");
        for (std::size_t i = 0; i < 3; ++i) {
            if (mark.begun[i] != '\0') ever[i] = '\1';
        }
    }
    EXPECT_EQ(ever, std::string(3, '\1'));
}

TEST_F(ChunkSendTest, NobodyIsMarkedWhoHasNoPermit) {
    people(std::vector<std::uint32_t>(40, 1));
    run();
    for (const auto& mark : marks) {
        const auto begun = std::count(mark.begun.begin(), mark.begun.end(), '\1');
        EXPECT_LE(static_cast<std::size_t>(begun), account->settings().rate.concurrency);
    }
}

/// Another chunk of the account that has all its permits in flight.
class BehindAnotherTest : public ChunkSendTest {
protected:
    BehindAnotherTest() {
        prove();
        account->permits().set_ahead(true);
        most = account->permits().limit();
        other.permits = most;
        account->permits().take(most);
        for (std::size_t i = 0; i < most; ++i) account->permits().begin();
    }
    void let_others_end() {
        for (; other.permits > 0; account->boarding().look_again()) account->boarding().end(other);
    }
    [[nodiscard]] static std::size_t count_begun(const ledger::ChunkMark& mark) {
        return static_cast<std::size_t>(std::count(mark.begun.begin(), mark.begun.end(), '\1'));
    }
    /// So much later, when this chunk's mark is written and nobody of it may begin.
    boost::asio::awaitable<void> end_others_after(std::chrono::milliseconds wait) {
        while (marks.empty()) co_await boost::asio::post(boost::asio::use_awaitable);
        for (int i = 0; i < 100; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
        begun_while_full = recipients.has_begun;
        clock.advance(wait);
        let_others_end();
    }

    std::size_t most = 0;
    Boarding::Chunk other;
    bool begun_while_full = false;
};

TEST_F(BehindAnotherTest, WhoIsMarkedAheadBeginsWhenThereIsRoom) {
    people(std::vector<std::uint32_t>(40, 1));
    std::size_t in_flight = 0;
    answers = {Verdict::ok, [&] { in_flight = std::max(in_flight, account->http().in_flight()); }};
    test::begin(context, end_others_after(std::chrono::milliseconds{0}));
    EXPECT_EQ(run(), std::string(40, char(Outcome::sent)));
    EXPECT_EQ(count_begun(marks.front()), most) << "ahead, for all permits were in flight";
    EXPECT_FALSE(begun_while_full);
    for (const auto& mark : marks) EXPECT_LE(count_begun(mark), most) << "in doubt after a crash";
    EXPECT_GT(in_flight, 0U);
    EXPECT_LE(in_flight, most);
    EXPECT_EQ(account->permits().free(false), most) << "all are given back";
}

TEST_F(BehindAnotherTest, WhoWasMarkedTooLongAgoIsMarkedAnew) {
    people(std::vector<std::uint32_t>(most, 1));
    answers = {Verdict::ok, {}};
    test::begin(context, end_others_after(std::chrono::milliseconds{300}));
    EXPECT_EQ(run(), std::string(most, char(Outcome::sent)));
    EXPECT_EQ(count_begun(marks.front()), most);
    std::set<std::size_t> again;
    for (std::size_t mark = 1; mark < marks.size(); ++mark) {
        for (std::size_t i = 0; i < most; ++i) {
            if (marks[mark].begun[i] != '\0') again.insert(i);
        }
    }
    EXPECT_EQ(again.size(), most);
}

TEST_F(ChunkSendTest, WhatIsKnownAlreadyGoesWithTheMark) {
    people({1, 0, 0, 1});
    pass.resolved.fates[1] = {Outcome::no_address, Reason::address_missing};
    pass.resolved.fates[2] = {Outcome::opted_out, Reason::consent_withdrawn};
    run();
    const auto& mark = marks.front();
    EXPECT_EQ(mark.begun, (std::string{'\1', '\0', '\0', '\1'}));
    EXPECT_EQ(mark.outcomes[1], char(Outcome::no_address));
    EXPECT_EQ(mark.reasons[2], char(Reason::consent_withdrawn));
    EXPECT_EQ(mark.outcomes[0], char(Outcome::pending));
}

TEST_F(ChunkSendTest, OfOneDeviceNothingFinalIsMarkedWhileAnotherIsOpen) {
    people({1, 1});
    pass.resolved.fates[0] = {Outcome::refused, Reason::address_invalid};
    pass.resolved.fates[1] = {Outcome::unknown, Reason::answer_lost};
    run();
    EXPECT_EQ(marks.front().outcomes[0], char(Outcome::pending)) << "the other may tell them";
    EXPECT_EQ(marks.front().outcomes[1], char(Outcome::unknown)) << "doubt is never left out";
}

TEST_F(ChunkSendTest, DoubtOfAnEarlierTryStaysInTheMark) {
    people({0, 1});
    recipients.outcomes[0] = char(Outcome::retry);
    recipients.reasons[0] = char(Reason::answer_lost);
    pass.resolved.fates[0] = {Outcome::no_address, Reason::recipient_gone};
    run();
    EXPECT_EQ(marks.front().outcomes[0], char(Outcome::unknown));
    EXPECT_EQ(marks.front().reasons[0], char(Reason::answer_lost));
    EXPECT_EQ(marks.front().causes[0], char(Reason::recipient_gone));
}

class FlightIsStopped : public ChunkSendTest, public ::testing::WithParamInterface<Marked> {};

TEST_P(FlightIsStopped, AndNothingIsBegun) {
    people({1, 1});
    last_mark = 1;
    at_last_mark = GetParam();
    EXPECT_THAT(run(), ElementsAre(char(Outcome::pending), char(Outcome::pending)));
    EXPECT_FALSE(recipients.has_begun);
    EXPECT_EQ(pass.ended_by, GetParam());
    EXPECT_EQ(recipients.job_cancelled, GetParam() == Marked::cancelled);
    EXPECT_EQ(account->http().in_flight(), 0U);
    EXPECT_TRUE(nobody_lost_an_attempt());
}

INSTANTIATE_TEST_SUITE_P(Answers, FlightIsStopped,
                         ::testing::Values(Marked::lost, Marked::away, Marked::cancelled));

TEST_F(ChunkSendTest, WhatBeganBeforeTheChunkWasLostIsReadAndNothingMoreBegins) {
    people(std::vector<std::uint32_t>(40, 1));
    last_mark = 2;
    const auto outcomes = run();
    const auto begun = std::count(marks[0].begun.begin(), marks[0].begun.end(), '\1');
    EXPECT_TRUE(recipients.has_begun);
    EXPECT_EQ(pass.ended_by, Marked::lost);
    EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), char(Outcome::retry)), begun);
}

TEST_F(ChunkSendTest, ThereIsNothingToMarkWhereNobodyIsSentTo) {
    people({0, 0});
    pass.resolved.fates.assign(2, {Outcome::no_address, Reason::address_missing});
    run();
    EXPECT_TRUE(marks.empty());
}

TEST_F(ChunkSendTest, APersonWithADeviceThatWasNotTriedIsNotGivenUp) {
    people({1, 1, 1});
    // The first device of each was dropped before; the second one is still to be tried.
    pass.resolved.fates = {{Outcome::no_address, Reason::address_missing},
                           {Outcome::suppressed, Reason::on_suppression_list},
                           {Outcome::unknown, Reason::answer_lost}};
    account->pause(std::chrono::seconds{30}, "test");
    const auto outcomes = run();
    EXPECT_FALSE(is_final(static_cast<Outcome>(outcomes[0])));
    EXPECT_FALSE(is_final(static_cast<Outcome>(outcomes[1])));
    EXPECT_EQ(outcomes[2], char(Outcome::unknown)) << "doubt forbids another try all the same";
    EXPECT_TRUE(nobody_lost_an_attempt());
}

}  // namespace
}  // namespace fanfare
