#include "worker/send/next_move.hpp"

#include <algorithm>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using MoveKind = Move::Kind;

/// `failed`: this claim brought nobody further, through nobody's fault of its own.
Move release(const ChunkState& chunk, milliseconds wait, bool failed) {
    if (!failed) {
        return {.kind = MoveKind::release,
                .wait = wait,
                .failures = chunk.has_progressed ? 0 : chunk.failures,
                .why = Reason::none};
    }
    const std::int32_t failures = chunk.failures + 1;
    if (chunk.is_old && failures >= failures_of_old_max) {
        return {
            .kind = MoveKind::give_up, .wait = {}, .failures = 0, .why = Reason::account_unusable};
    }
    return {.kind = MoveKind::release, .wait = wait, .failures = failures, .why = Reason::none};
}

Move give_up(Reason why) {
    return {.kind = MoveKind::give_up, .wait = {}, .failures = 0, .why = why};
}

Move simple(MoveKind kind, milliseconds wait = {}) {
    return {.kind = kind, .wait = wait, .failures = 0, .why = Reason::none};
}

/// A claim whose people still wait for an account that is at fault has failed.
Move release_untold(const ChunkState& chunk, const Situation& now, milliseconds wait) {
    const bool failed = !chunk.has_progressed && !now.is_held_back && chunk.waits_for_account;
    return release(chunk, wait, failed);
}

Move after_setback(const ChunkState& chunk, const Situation& now) {
    const Backoff backoff{now.backoff_first, now.backoff_max};
    const auto later = [&](const Backoff& longer) {
        return release(chunk, wait_after(longer, chunk.failures + 1, now.jitter), true);
    };
    switch (now.setback) {
        case Setback::none:
        case Setback::not_split:
            break;
        case Setback::job_away:
            return release(chunk, account_pause, false);
        case Setback::not_configured:
            return later({account_pause, configuration_wait_max});
        case Setback::system_away:
            // Not all of its chunks at once.
            return release(chunk, wait_after({now.away_for, now.away_for}, 1, now.jitter), false);
        case Setback::query_partial:
        case Setback::ledger_away:
            return release(chunk, short_wait, false);
        case Setback::query_slow:
        case Setback::ledger_refuses:
            return later(backoff);
        case Setback::query_fails:
            if (chunk.failures + 1 < query_failures_max) return later(backoff);
            return give_up(Reason::query_failed);
        case Setback::not_composed:
            return give_up(Reason::request_refused);
    }
    return simple(MoveKind::leave);
}

/// How long those who are still open wait.
milliseconds find_wait(const ChunkState& chunk, const Situation& now) {
    auto tries = now.attempts;
    // While the account is at fault nobody's attempts are spent, and still nobody hurries.
    if (!now.account_serves && chunk.waits_for_account) {
        tries = std::max(tries, now.passes + chunk.failures);
    }
    if (tries == 0) return now.asked_to_wait;
    const Backoff backoff{now.backoff_first, now.backoff_max};
    return std::max(now.asked_to_wait, wait_after(backoff, tries, now.jitter));
}

Move wait_here_or_release(const ChunkState& chunk, const Situation& now, milliseconds wait) {
    const bool lasts = wait + now.account_timeout + lease_reserve < now.lease_left;
    const bool here = wait <= in_place_wait_max && lasts && !now.is_stopping && !now.is_held_back;
    return here ? simple(MoveKind::wait, wait) : release_untold(chunk, now, wait);
}

/// Until a moment, not for a while: what time it is somebody may be mistaken about, when people
/// wake is what it is. Whoever looks too early looks again in a moment, not at once.
Move release_sleepers(const ChunkState& chunk, const Situation& now, milliseconds wait) {
    auto move = release_untold(chunk, now, std::max(wait, short_wait));
    move.not_before = now.quiet_until;
    return move;
}

Move after_pass(const ChunkState& chunk, const Situation& now) {
    const auto wait = find_wait(chunk, now);
    if (now.quiet_until) return release_sleepers(chunk, now, wait);
    // Also when another chunk had it stopped: nothing of this one was sent.
    if (now.account_is_usable) return wait_here_or_release(chunk, now, wait);
    if (!chunk.is_in_doubt) return simple(MoveKind::reroute, wait);
    return wait_here_or_release(chunk, now, std::max(wait, now.account_unusable_for));
}

}  // namespace

Move next_move(const ChunkState& chunk, const Situation& now) {
    if (now.is_lost && !chunk.has_begun) return simple(MoveKind::leave);
    if (chunk.is_settled) return simple(MoveKind::finish);
    if (now.is_lost) return release_untold(chunk, now, now.wait);
    switch (now.after) {
        case Situation::After::claim:
        case Situation::After::wait:
            if (now.is_held_back) return release(chunk, now.wait, false);
            return simple(MoveKind::try_all, now.wait);
        case Situation::After::setback:
            return after_setback(chunk, now);
        case Situation::After::pass:
            return after_pass(chunk, now);
        case Situation::After::reroute:
            if (now.has_other_account) return wait_here_or_release(chunk, now, now.wait);
            return wait_here_or_release(chunk, now, std::max(now.wait, now.account_unusable_for));
    }
    return simple(MoveKind::leave);
}

milliseconds wait_after(const Backoff& backoff, std::int32_t attempts_used, double jitter) {
    const auto doublings = std::clamp(attempts_used - 1, 0, 20);
    const auto wait = std::min(backoff.max, backoff.first * (1 << doublings));
    return wait + milliseconds{
                      static_cast<std::int64_t>(static_cast<double>(wait.count()) * 0.5 * jitter)};
}

}  // namespace fanfare
