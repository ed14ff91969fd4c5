#include "worker/send/outcome_rules.hpp"

#include <algorithm>

namespace fanfare {
namespace {

/// Which of two fates of one person stands.
int weight(Outcome outcome) {
    switch (outcome) {
        case Outcome::sent:
        case Outcome::delivered:
        case Outcome::opened:
        case Outcome::clicked:
            return 6;
        case Outcome::unknown:
            return 5;
        case Outcome::retry:
            return 4;
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
        case Outcome::replayed:  // Settled by another job: nothing of this one changes it.
            return 7;
        case Outcome::pending:
            return 0;
    }
    return 0;
}

}  // namespace

Fate fate_of(Verdict verdict, Reason reason, const Situation& situation) {
    const bool again = situation.attempts_used < situation.attempts_max;
    switch (verdict) {
        case Verdict::ok:
            return {Outcome::sent, Reason::none};
        case Verdict::suppress:
            return {Outcome::refused, Reason::address_invalid};
        case Verdict::perm_rcpt:
            return {Outcome::refused, reason == Reason::none ? Reason::recipient_refused : reason};
        case Verdict::perm_req:
            return {Outcome::failed, reason == Reason::none ? Reason::request_refused : reason};
        case Verdict::config:
            return {Outcome::retry, Reason::account_unusable};
        case Verdict::throttle:
            return {Outcome::retry, Reason::throttled};
        case Verdict::transient:
            if (!again) return {Outcome::failed, Reason::attempts_exhausted};
            return {Outcome::retry, reason == Reason::none ? Reason::provider_unavailable : reason};
        case Verdict::ambiguous:
            if (reason == Reason::none) reason = Reason::answer_lost;
            if (situation.on_doubt == DoubtPolicy::resend && again) return {Outcome::retry, reason};
            return {Outcome::unknown, reason};
    }
    return {Outcome::unknown, Reason::answer_unreadable};
}

Fate merge(Fate known, Fate next) {
    return weight(next.outcome) > weight(known.outcome) ? next : known;
}

std::chrono::milliseconds wait_after(const Backoff& backoff, std::int32_t attempts_used,
                                     double jitter) {
    const auto doublings = std::clamp(attempts_used - 1, 0, 20);
    const auto wait = std::min(backoff.max, backoff.first * (1 << doublings));
    return wait + std::chrono::milliseconds{
                      static_cast<std::int64_t>(static_cast<double>(wait.count()) * 0.5 * jitter)};
}

}  // namespace fanfare
