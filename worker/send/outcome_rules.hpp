#pragma once

#include "core/domain/doubt.hpp"

#include <cstdint>

namespace fanfare {

/// One try of one person: what a rule knows beside the provider's answer.
struct Attempt {
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    std::int32_t attempts_used = 1;  // This one included.
    std::int32_t attempts_max = 5;
};

/// Every rule on what a provider's answer means for one person, in one place, but for those about
/// doubt (core/domain/doubt.hpp); what follows for the chunk is next_move()'s. Pure.
///
/// Throttling and a broken account cost the recipient nothing. Doubt that is sent again uses up an
/// attempt at once: each may have told them. Of a passing fault nobody knows at first whether the
/// account or the message was to blame: it counts against the account (is_on_account()), and as an
/// attempt only once the account has served somebody else (as_attempt()).
[[nodiscard]] Fate to_fate(Verdict verdict, Reason reason, const Attempt& attempt);

/// True when the verdict uses up one of the recipient's attempts at once.
[[nodiscard]] constexpr bool costs_attempt(Verdict verdict) noexcept {
    return verdict == Verdict::ambiguous;
}

/// True for who met a passing fault that still counts against the account.
[[nodiscard]] constexpr bool is_on_account(const Fate& fate) noexcept {
    return !is_final(fate.outcome) && fate.cause == Reason::account_unusable;
}

/// What becomes of them now that the fault counts as an attempt of theirs.
[[nodiscard]] Fate as_attempt(const Fate& fate, std::int32_t attempts_used,
                              std::int32_t attempts_max);

/// What becomes of them when the account was at fault, or their kind not configured, for longer
/// than anybody waits.
[[nodiscard]] Fate as_given_up(const Fate& fate);

/// A person with several addresses (devices) has one outcome: told on any is told; doubt on
/// one forbids another try, which could tell them twice; then hope, then the worst. Doubt that is
/// to be tried again outweighs other hope.
[[nodiscard]] Fate merge(Fate known, Fate next);

}  // namespace fanfare
