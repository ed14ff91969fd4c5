#include "core/domain/doubt.hpp"

#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <string>

namespace fanfare {

void PrintTo(const Fate& fate, std::ostream* out) {
    *out << to_string(fate.outcome) << "/" << to_string(fate.reason) << "/"
         << to_string(fate.cause);
}

namespace {

using enum Outcome;

constexpr std::array doubts{Reason::answer_lost, Reason::answer_unreadable, Reason::worker_lost};

/// What may come after a doubt that proves nothing of it.
constexpr std::array<Fate, 12> later{{
    {refused, Reason::address_invalid},
    {refused, Reason::recipient_refused},
    {failed, Reason::request_refused},
    {failed, Reason::attempts_exhausted, Reason::provider_unavailable},
    {failed, Reason::recipient_invalid},
    {failed, Reason::query_failed},
    {failed, Reason::given_up},
    {suppressed, Reason::on_suppression_list},
    {opted_out, Reason::consent_withdrawn},
    {no_address, Reason::recipient_gone},
    {expired, Reason::past_expiry},
    {cancelled, Reason::job_cancelled},
}};

TEST(Doubt, OutlivesWhateverProvesNothing) {
    for (const auto doubt : doubts) {
        for (const auto open : {pending, retry}) {
            for (const auto& next : later) {
                EXPECT_EQ(follow({open, doubt}, next), (Fate{unknown, doubt, next.reason}))
                    << to_string(doubt) << ", then " << to_string(next.reason);
            }
        }
    }
}

TEST(Doubt, StaysTheReasonWhileThereIsHope) {
    EXPECT_EQ(follow({retry, Reason::answer_lost}, {retry, Reason::throttled}),
              (Fate{retry, Reason::answer_lost, Reason::throttled}));
    EXPECT_EQ(
        follow({retry, Reason::answer_lost, Reason::throttled}, {cancelled, Reason::job_cancelled}),
        (Fate{unknown, Reason::answer_lost, Reason::job_cancelled}));
}

TEST(Doubt, IsLiftedByBeingTold) {
    for (const auto told : {sent, delivered, opened, clicked}) {
        EXPECT_EQ(follow({retry, Reason::worker_lost, Reason::throttled}, {told, Reason::none}),
                  (Fate{told, Reason::none}));
    }
}

TEST(Doubt, GivesWayToTheLatestDoubt) {
    EXPECT_EQ(follow({retry, Reason::worker_lost}, {unknown, Reason::answer_lost}),
              (Fate{unknown, Reason::answer_lost}));
}

TEST(Doubt, IsNotMadeOfOtherReasons) {
    for (std::size_t i = 0; i < reason_count; ++i) {
        const auto reason = static_cast<Reason>(i);
        if (is_doubt(reason)) continue;
        for (const auto& next : later) {
            EXPECT_EQ(follow({retry, reason}, next), next) << to_string(reason);
        }
    }
}

TEST(Doubt, WhoWasNotTriedStaysAsTheyWere) {
    const Fate known{retry, Reason::answer_lost, Reason::throttled};
    EXPECT_EQ(follow(known, {}), known);
}

TEST(AfterALostAnswer, OnlyResendAsksAgainWhileAnAttemptIsLeft) {
    constexpr auto lost = Reason::answer_lost;
    for (const auto policy : {DoubtPolicy::hold, DoubtPolicy::reconcile}) {
        for (const bool again : {false, true}) {
            EXPECT_EQ(after_lost_answer(lost, again, policy), (Fate{unknown, lost}));
        }
    }
    EXPECT_EQ(after_lost_answer(lost, true, DoubtPolicy::resend), (Fate{retry, lost}));
    EXPECT_EQ(after_lost_answer(lost, false, DoubtPolicy::resend),
              (Fate{unknown, lost, Reason::attempts_exhausted}));
}

TEST(AfterALostWorker, OnlyWhoseRequestMayHaveBegunIsInDoubt) {
    for (const auto policy : {DoubtPolicy::hold, DoubtPolicy::resend, DoubtPolicy::reconcile}) {
        const Fate waiting{retry, Reason::throttled};
        EXPECT_EQ(after_loss({}, false, policy), (Fate{}));
        EXPECT_EQ(after_loss(waiting, false, policy), waiting);
        const auto begun = after_loss(waiting, true, policy);
        EXPECT_EQ(begun.reason, Reason::worker_lost);
        EXPECT_EQ(begun.outcome, policy == DoubtPolicy::resend ? retry : unknown);
        EXPECT_TRUE(is_in_doubt(begun));
    }
}

TEST(AfterALostWorker, WhatIsFinalStands) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        const auto outcome = static_cast<Outcome>(i);
        if (!is_final(outcome)) continue;
        const Fate known{outcome, Reason::none};
        EXPECT_EQ(after_loss(known, true, DoubtPolicy::hold), known) << to_string(outcome);
    }
}

TEST(AfterALostWorker, AnEarlierDoubtStaysReadable) {
    EXPECT_EQ(after_loss({retry, Reason::answer_lost}, true, DoubtPolicy::resend),
              (Fate{retry, Reason::worker_lost, Reason::answer_lost}));
}

}  // namespace
}  // namespace fanfare
