#include "worker/send/outcome_rules.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace fanfare {

void PrintTo(const Fate& fate, std::ostream* out) {
    *out << to_string(fate.outcome) << "/" << to_string(fate.reason) << "/"
         << to_string(fate.cause);
}

namespace {

using enum Outcome;

constexpr std::array<Outcome, outcome_count> outcomes{
    pending,   sent,       delivered, opened,    clicked, refused, suppressed,
    opted_out, no_address, expired,   cancelled, retry,   failed,  unknown};

/// One verdict, with what becomes of the recipient under each policy, while there are
/// attempts left and after the last.
struct Case {
    Verdict verdict;
    Reason said;
    struct {
        Fate again;
        Fate last;
    } hold, resend, reconcile;
};
void PrintTo(const Case& c, std::ostream* out) {
    *out << to_string(c.verdict) << " " << to_string(c.said);
}

Case always(Verdict verdict, Reason said, Fate fate) {
    return {verdict, said, {fate, fate}, {fate, fate}, {fate, fate}};
}
Case doubtful(Reason said, Reason told) {
    const Fate nobody_knows{unknown, told};
    return {Verdict::ambiguous,
            said,
            {nobody_knows, nobody_knows},
            {{retry, told}, {unknown, told, Reason::attempts_exhausted}},
            {nobody_knows, nobody_knows}};
}

class FateTest : public ::testing::TestWithParam<Case> {};

TEST_P(FateTest, FollowsTheTable) {
    const auto& c = GetParam();
    const auto check = [&](DoubtPolicy policy, Fate again, Fate last) {
        for (const std::int32_t max : {1, 2, 5, 100}) {
            for (std::int32_t used = 1; used <= max + 1; ++used) {
                EXPECT_EQ(to_fate(c.verdict, c.said, {policy, used, max}),
                          used < max ? again : last)
                    << to_string(policy) << ", attempt " << used << " of " << max;
            }
        }
    };
    check(DoubtPolicy::hold, c.hold.again, c.hold.last);
    check(DoubtPolicy::resend, c.resend.again, c.resend.last);
    check(DoubtPolicy::reconcile, c.reconcile.again, c.reconcile.last);
}

INSTANTIATE_TEST_SUITE_P(
    AllVerdicts, FateTest,
    ::testing::Values(
        always(Verdict::ok, Reason::none, {sent, Reason::none}),
        always(Verdict::ok, Reason::throttled, {sent, Reason::none}),
        always(Verdict::suppress, Reason::none, {refused, Reason::address_invalid}),
        always(Verdict::suppress, Reason::recipient_refused, {refused, Reason::address_invalid}),
        always(Verdict::suppress, Reason::consent_withdrawn, {refused, Reason::consent_withdrawn}),
        always(Verdict::perm_rcpt, Reason::none, {refused, Reason::recipient_refused}),
        always(Verdict::perm_rcpt, Reason::address_invalid, {refused, Reason::address_invalid}),
        always(Verdict::perm_req, Reason::none, {failed, Reason::request_refused}),
        always(Verdict::perm_req, Reason::content_too_large, {failed, Reason::content_too_large}),
        always(Verdict::config, Reason::none, {retry, Reason::account_unusable}),
        always(Verdict::throttle, Reason::none, {retry, Reason::throttled}),
        always(Verdict::transient, Reason::none,
               {retry, Reason::provider_unavailable, Reason::account_unusable}),
        always(Verdict::transient, Reason::not_sent,
               {retry, Reason::not_sent, Reason::account_unusable}),
        doubtful(Reason::none, Reason::answer_lost),
        doubtful(Reason::answer_lost, Reason::answer_lost),
        doubtful(Reason::answer_unreadable, Reason::answer_unreadable)));

TEST(Fate, OnlyDoubtCostsAnAttemptAtOnce) {
    for (std::size_t i = 0; i < verdict_count; ++i) {
        const auto verdict = static_cast<Verdict>(i);
        EXPECT_EQ(costs_attempt(verdict), verdict == Verdict::ambiguous) << to_string(verdict);
    }
}

TEST(Fate, ThatMayBeTriedAgainCostsAnAttemptOrIsTheAccountsFault) {
    // Otherwise a chunk could go round for ever without anything that ends it.
    for (std::size_t i = 0; i < verdict_count; ++i) {
        const auto verdict = static_cast<Verdict>(i);
        const auto fate = to_fate(verdict, Reason::none, {DoubtPolicy::resend, 1, 5});
        if (fate.outcome != retry) continue;
        EXPECT_TRUE(costs_attempt(verdict) || is_on_account(fate) || verdict == Verdict::throttle ||
                    verdict == Verdict::config)
            << to_string(verdict);
    }
}

constexpr Fate passing{retry, Reason::provider_unavailable, Reason::account_unusable};

TEST(PassingFault, CountsAsAnAttemptOnceTheAccountHasServedOthers) {
    const auto again = as_attempt(passing, 4, 5);
    EXPECT_EQ(again, (Fate{retry, Reason::provider_unavailable}));
    EXPECT_FALSE(is_on_account(again)) << "it is counted once";
}

TEST(PassingFault, StaysReadableBesideAttemptsThatAreUsedUp) {
    EXPECT_EQ(as_attempt(passing, 5, 5),
              (Fate{failed, Reason::attempts_exhausted, Reason::provider_unavailable}));
    EXPECT_EQ(as_attempt({retry, Reason::not_sent, Reason::account_unusable}, 5, 5),
              (Fate{failed, Reason::attempts_exhausted, Reason::not_sent}));
}

TEST(PassingFault, AfterADoubtNeverEndsInAnythingElse) {
    const auto doubted = follow({retry, Reason::answer_lost}, passing);
    EXPECT_TRUE(is_on_account(doubted));
    EXPECT_EQ(as_attempt(doubted, 1, 5), (Fate{retry, Reason::answer_lost}));
    EXPECT_EQ(as_attempt(doubted, 5, 5).outcome, unknown);
    EXPECT_EQ(as_attempt(doubted, 5, 5).reason, Reason::answer_lost);
    EXPECT_EQ(as_given_up(doubted).outcome, unknown);
}

TEST(PassingFault, IsTheAccountsInTheEndWhereItServedNobody) {
    EXPECT_EQ(as_given_up(passing),
              (Fate{failed, Reason::account_unusable, Reason::provider_unavailable}));
}

TEST(Merge, GivesOnePersonOneOutcome) {
    for (const auto a : outcomes) {
        for (const auto b : outcomes) {
            const Fate known{a, Reason::none};
            const Fate next{b, Reason::not_sent};
            const auto both = merge(known, next);
            SCOPED_TRACE(std::string{to_string(a)} + " and " + std::string{to_string(b)});
            EXPECT_TRUE(both == known || both == next);
            const auto either = [&](auto is) { return is(a) || is(b); };
            const auto has = [&](Outcome wanted) { return a == wanted || b == wanted; };
            if (either(is_told)) {
                EXPECT_TRUE(is_told(both.outcome)) << "told on any device is told";
            } else if (has(unknown)) {
                EXPECT_EQ(both.outcome, unknown) << "doubt on one forbids another try";
            } else if (has(retry)) {
                EXPECT_EQ(both.outcome, retry) << "while there is hope, nothing is final";
            } else if (has(failed)) {
                EXPECT_EQ(both.outcome, failed);
            } else if (has(refused)) {
                EXPECT_EQ(both.outcome, refused);
            } else if (a != pending || b != pending) {
                EXPECT_NE(both.outcome, pending) << "what is decided stands";
            }
            EXPECT_EQ(merge(both, next).outcome, both.outcome)
                << "telling it again changes nothing";
        }
    }
}

TEST(Merge, DoubtThatIsTriedAgainIsNotForgottenForOtherHope) {
    const Fate doubt{retry, Reason::answer_lost};
    EXPECT_EQ(merge({retry, Reason::throttled}, doubt), doubt);
    EXPECT_EQ(merge(doubt, {retry, Reason::throttled}), doubt);
    EXPECT_EQ(merge(doubt, {refused, Reason::address_invalid}), doubt);
}

TEST(Merge, KeepsTheFirstOfEquals) {
    EXPECT_EQ(merge({retry, Reason::throttled}, {retry, Reason::not_sent}),
              (Fate{retry, Reason::throttled}));
    EXPECT_EQ(merge({opted_out, Reason::consent_withdrawn}, {no_address, Reason::address_missing}),
              (Fate{opted_out, Reason::consent_withdrawn}));
}

}  // namespace
}  // namespace fanfare
