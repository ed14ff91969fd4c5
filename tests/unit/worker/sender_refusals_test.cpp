#include "worker/send/sender_refusals.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using std::chrono::milliseconds;

class SenderRefusalsTest : public ::testing::Test {
protected:
    /// What becomes of a refusal that says `words` of us.
    BatchAnswer hear(std::string_view address, std::string_view words = "relay denied") {
        BatchAnswer answer;
        answer.verdict = Verdict::perm_rcpt;
        answer.reason = Reason::recipient_refused;
        answer.of_us = words;
        refusals.weigh(answer, address, now);
        return answer;
    }

    SenderRefusals refusals;
    SteadyTime now{};
};

TEST_F(SenderRefusalsTest, OneServerCostsItsOwnPeopleAndNobodyElse) {
    const auto first = hear("a@one.example");
    EXPECT_EQ(first.verdict, Verdict::throttle) << "perhaps others will say the same";
    EXPECT_TRUE(first.recipient_only) << "the account goes on";
    EXPECT_EQ(first.retry_after, SenderRefusals::settle);
    EXPECT_EQ(hear("b@one.example").verdict, Verdict::throttle);
    now += SenderRefusals::settle;
    for (int i = 0; i < 100; ++i) {
        const auto answer = hear(std::to_string(i) + "@ONE.example");
        EXPECT_EQ(answer.verdict, Verdict::perm_rcpt);
        EXPECT_EQ(answer.reason, Reason::recipient_refused);
    }
}

TEST_F(SenderRefusalsTest, SeveralServersStopTheAccountAndNobodyIsRefused) {
    EXPECT_EQ(hear("a@one.example").verdict, Verdict::throttle);
    EXPECT_EQ(hear("a@two.example").verdict, Verdict::throttle);
    const auto third = hear("a@three.example");
    EXPECT_EQ(third.verdict, Verdict::config);
    EXPECT_EQ(third.reason, Reason::account_unusable);
    now += SenderRefusals::settle;
    EXPECT_EQ(hear("a@one.example").verdict, Verdict::config) << "still nothing was taken";
    EXPECT_EQ(hear("a@four.example").verdict, Verdict::config);
}

TEST_F(SenderRefusalsTest, WhatIsTakenElsewhereClearsTheAccount) {
    for (const auto* const address : {"a@one.example", "a@two.example", "a@three.example"}) {
        EXPECT_EQ(hear(address).verdict, Verdict::throttle);
        refusals.taken();
    }
    now += SenderRefusals::settle;
    for (const auto* const address : {"a@one.example", "a@two.example"}) {
        EXPECT_EQ(hear(address).verdict, Verdict::perm_rcpt);
    }
    EXPECT_EQ(hear("a@three.example").verdict, Verdict::config) << "three without one taken";
    refusals.taken();
    EXPECT_EQ(hear("a@three.example").verdict, Verdict::perm_rcpt);
}

TEST_F(SenderRefusalsTest, ADemandForALoginStopsTheAccountUntilSomethingWasTaken) {
    const auto ask = [this](std::string_view address) {
        BatchAnswer answer;
        answer.verdict = Verdict::config;
        answer.reason = Reason::account_unusable;
        answer.of_us = "login needed";
        refusals.weigh(answer, address, now);
        return answer;
    };
    EXPECT_EQ(ask("a@one.example").verdict, Verdict::config) << "perhaps ours is missing";
    refusals.taken();
    EXPECT_EQ(ask("a@one.example").verdict, Verdict::throttle);
    now += SenderRefusals::settle;
    for (int i = 0; i < 100; ++i) {
        const auto answer = ask("a@one.example");
        EXPECT_EQ(answer.verdict, Verdict::perm_rcpt) << "that one's, and settled";
        EXPECT_EQ(answer.reason, Reason::recipient_refused);
    }
    ask("a@two.example");
    EXPECT_EQ(ask("a@three.example").verdict, Verdict::config) << "three without one taken";
}

TEST_F(SenderRefusalsTest, DifferentWordsAreNotTheSame) {
    hear("a@one.example", "relay denied");
    hear("a@two.example", "sender refused");
    EXPECT_EQ(hear("a@three.example", "our host refused").verdict, Verdict::throttle);
}

TEST_F(SenderRefusalsTest, APassingRefusalStaysOne) {
    BatchAnswer answer;
    answer.verdict = Verdict::transient;
    answer.reason = Reason::provider_unavailable;
    answer.of_us = "our host refused";
    refusals.weigh(answer, "a@one.example", now);
    EXPECT_EQ(answer.verdict, Verdict::transient);
}

TEST_F(SenderRefusalsTest, ForgetsInTime) {
    hear("a@one.example");
    refusals.taken();
    now += SenderRefusals::kept_for + milliseconds{1};
    EXPECT_EQ(hear("a@one.example").verdict, Verdict::throttle) << "that may be a new fault";
    for (std::size_t i = 0; i < 3 * SenderRefusals::domains_max; ++i) {
        refusals.taken();
        hear("a@" + std::to_string(i) + ".example");  // Bounded: nothing to see but memory.
    }
}

}  // namespace
}  // namespace fanfare
