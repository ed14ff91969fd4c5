#pragma once

#include "core/domain/vocabulary.hpp"

#include <string_view>

/// Doubt, and every rule about it, in one place.
///
/// Somebody is in doubt when a provider may have taken their message and nobody knows: the answer
/// was lost or cannot be read, or the worker died with the request under way. No later error,
/// refusal, expiry or cancel can undo what the provider may have done: the person stays `unknown`,
/// with the doubt as the reason and what came after it as the cause, until a receipt or a person
/// settles it. Only under the policy `resend` do they stay open for another try, and then only by
/// the same account, which alone can hide a second message (claim_chunks()).
namespace fanfare {

/// What is said of one person on one channel: one byte each in the ledger's chunk.
struct Fate {
    Outcome outcome = Outcome::pending;
    Reason reason = Reason::none;
    Reason cause = Reason::none;  // What stands behind the reason.
    bool operator==(const Fate&) const = default;
};

/// True for the reasons that mean that a message may have gone out. The claim's SQL knows their
/// numbers as well (core/ledger/chunks.cpp), and that of `told` audiences
/// (worker/plan/audience.cpp).
[[nodiscard]] constexpr bool is_doubt(Reason reason) noexcept {
    return reason == Reason::answer_lost || reason == Reason::answer_unreadable ||
           reason == Reason::worker_lost;
}

/// True when a provider took responsibility.
[[nodiscard]] constexpr bool is_told(Outcome outcome) noexcept {
    return outcome == Outcome::sent || outcome == Outcome::delivered ||
           outcome == Outcome::opened || outcome == Outcome::clicked;
}

/// True while a message may have gone out, whether the person is to be tried again or not.
[[nodiscard]] constexpr bool is_in_doubt(const Fate& fate) noexcept {
    return is_doubt(fate.reason) && !is_told(fate.outcome);
}

/// What becomes of somebody of whom `known` is said when `next` happens to them. Whoever is not in
/// doubt takes the next fate; doubt is lifted by nothing but being told.
[[nodiscard]] constexpr Fate follow(const Fate& known, const Fate& next) noexcept {
    if (next.outcome == Outcome::pending) return known;
    if (!is_in_doubt(known) || is_doubt(next.reason) || is_told(next.outcome) ||
        next.outcome == Outcome::replayed) {
        return next;
    }
    if (is_final(next.outcome)) return {Outcome::unknown, known.reason, next.reason};
    // Who bears a passing fault is still open (outcome_rules.hpp): that word is kept.
    return {Outcome::retry, known.reason, next.cause != Reason::none ? next.cause : next.reason};
}

/// What becomes of somebody whose request was answered by nobody, or unreadably, as `reason` says.
/// `again`: an attempt is left. Policies other than resend are one here: under `reconcile` a
/// receipt is expected to settle it, under `hold` one may.
[[nodiscard]] constexpr Fate after_lost_answer(Reason reason, bool again,
                                               DoubtPolicy policy) noexcept {
    if (policy != DoubtPolicy::resend) return {Outcome::unknown, reason};
    if (again) return {Outcome::retry, reason};
    return {Outcome::unknown, reason, Reason::attempts_exhausted};
}

/// What becomes of somebody when the worker is gone that held their chunk. `begun`: a request for
/// them may have been under way; nothing happened to the others.
[[nodiscard]] constexpr Fate after_loss(const Fate& known, bool begun,
                                        DoubtPolicy policy) noexcept {
    if (!begun || is_final(known.outcome)) return known;
    const bool again = policy == DoubtPolicy::resend;
    return {again ? known.outcome : Outcome::unknown, Reason::worker_lost,
            is_doubt(known.reason) ? known.reason : Reason::none};
}

}  // namespace fanfare
