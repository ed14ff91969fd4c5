#include "worker/send/outcome_rules.hpp"

namespace fanfare {
namespace {

/// Which of two fates of one person stands.
int weight(const Fate& fate) {
    switch (fate.outcome) {
        case Outcome::replayed:  // Settled by another job: nothing of this one changes it.
            return 8;
        case Outcome::sent:
        case Outcome::delivered:
        case Outcome::opened:
        case Outcome::clicked:
            return 7;
        case Outcome::unknown:
            return 6;
        case Outcome::retry:
            return is_doubt(fate.reason) ? 5 : 4;
        case Outcome::failed:
            return 3;
        case Outcome::refused:
            return 2;
        case Outcome::suppressed:
        case Outcome::opted_out:
        case Outcome::no_address:
        case Outcome::expired:
        case Outcome::cancelled:
            return 1;
        case Outcome::pending:
            return 0;
    }
    return 0;
}

Reason or_else(Reason reason, Reason otherwise) {
    return reason == Reason::none ? otherwise : reason;
}

}  // namespace

Fate to_fate(Verdict verdict, Reason reason, const Attempt& attempt) {
    const bool again = attempt.attempts_used < attempt.attempts_max;
    switch (verdict) {
        case Verdict::ok:
            return {Outcome::sent, Reason::none};
        case Verdict::suppress:
            // Who told the provider to stop has a good address.
            if (reason == Reason::consent_withdrawn) return {Outcome::refused, reason};
            return {Outcome::refused, Reason::address_invalid};
        case Verdict::perm_rcpt:
            return {Outcome::refused, or_else(reason, Reason::recipient_refused)};
        case Verdict::perm_req:
            return {Outcome::failed, or_else(reason, Reason::request_refused)};
        case Verdict::config:
            return {Outcome::retry, Reason::account_unusable};
        case Verdict::throttle:
            return {Outcome::retry, Reason::throttled};
        case Verdict::transient:
            return {Outcome::retry, or_else(reason, Reason::provider_unavailable),
                    Reason::account_unusable};
        case Verdict::ambiguous:
            return after_lost_answer(or_else(reason, Reason::answer_lost), again, attempt.on_doubt);
    }
    return {Outcome::unknown, Reason::answer_unreadable};
}

Fate as_attempt(const Fate& fate, std::int32_t attempts_used, std::int32_t attempts_max) {
    if (attempts_used < attempts_max) return {fate.outcome, fate.reason};
    return follow(fate, {Outcome::failed, Reason::attempts_exhausted, fate.reason});
}

Fate as_given_up(const Fate& fate) {
    const bool is_gone =
        fate.reason == Reason::not_configured || fate.cause == Reason::not_configured;
    if (is_gone) return follow(fate, {Outcome::failed, Reason::not_configured});
    return follow(fate, {Outcome::failed, Reason::account_unusable, fate.reason});
}

Fate merge(Fate known, Fate next) { return weight(next) > weight(known) ? next : known; }

}  // namespace fanfare
