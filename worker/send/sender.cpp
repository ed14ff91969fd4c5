// A chunk's way from its name to its record.
//
// The order of the steps is the design. Whoever claims first and then waits for the provider's
// rate holds a thousand people under a lease and does nothing for them: when the worker dies,
// nobody knows how far it was. So an account that is well and a place in its rate come first,
// the claim comes last, and what is claimed is sent at once. Whoever reads contacts before the
// claim tells people who have unsubscribed since: they are read after it, and again before each
// pass.
//
// A pass tries everybody who is still open, once. Between passes the chunk may be cancelled,
// expire, lose its lease or lose its account, so each begins by looking. What a pass could not
// settle waits here as long as that is short and the lease lasts; otherwise the chunk is put
// back with the moment at which it may be claimed again, and the lane takes another one. Nothing
// is lost by putting back: the ledger has the chunk, and the sweeper brings it.
//
// Two rules keep people from being told twice. Somebody in doubt stays with the account that
// caused the doubt, because only that one could hide a second message. And every word that is
// written is fenced by the epoch of the claim: a worker that stood still past its lease writes
// nothing. One rule keeps a provider's outage from using people up: while an account serves
// nobody, its faults are counted against the account and not as attempts of those who met them.
//
// Where else to look: next_move.cpp (what is done next, and why), prepare.cpp (who may be told, and
// their text), chunk_send.cpp (requests), chunk_answers.cpp and outcome_rules.cpp (what an answer
// means), settle.cpp (what the chunk becomes).
#include "worker/send/sender.hpp"

#include "core/clock/timer.hpp"
#include "core/observe/log.hpp"
#include "worker/send/given_up.hpp"
#include "worker/send/settle.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;

/// When everyone who is still open is in their quiet hours: the first end of these.
std::optional<TimePoint> only_quiet_left(const Recipients& people, const Pass& pass) {
    if (!pass.quiet_until) return std::nullopt;
    std::vector<bool> quiet(people.outcomes.size());
    for (const auto recipient : pass.quiet) quiet[recipient] = true;
    for (std::size_t i = 0; i < quiet.size(); ++i) {
        if (!quiet[i] && !is_final(static_cast<Outcome>(people.outcomes[i]))) return std::nullopt;
    }
    return pass.quiet_until;
}

}  // namespace

LaneRoom Sender::make_room(Channel channel) const {
    const auto& limits = settings_.channels[static_cast<std::size_t>(channel)];
    return {parts_.executor, limits.chunk_recipients_max, limits.chunks_in_flight_max};
}

asio::awaitable<void> Sender::run_lane(Channel channel) {
    auto& room = rooms_[static_cast<std::size_t>(channel)];
    while (true) {
        auto place = co_await room.enter();
        const auto descriptor = co_await parts_.dispatcher.next(channel, false);
        if (!descriptor) co_return;
        co_await serve(*descriptor, &place);
    }
}

asio::awaitable<void> Sender::run_urgent_lane(Channel channel) {
    while (const auto descriptor = co_await parts_.dispatcher.next(channel, true)) {
        co_await serve(*descriptor, nullptr);
    }
}

asio::awaitable<Account*> Sender::account_for(Channel channel) {
    while (!stopping_) {
        Account* const account = parts_.selector.next(channel);
        if (account == nullptr) {
            const auto wait = parts_.selector.wait(channel);
            co_await pause_for(wait);
            continue;
        }
        const bool authorized = co_await account->authorize();  // Paused where not.
        if (authorized) co_return account;
    }
    co_return nullptr;
}

asio::awaitable<void> Sender::serve(const Descriptor& descriptor, LaneRoom::Place* place) {
    // Rate and account first, the claim last: what is claimed is sent at once, so that a
    // crash leaves little in doubt.
    const auto& key = descriptor.key;
    Account* const account = co_await account_for(key.channel);
    if (account != nullptr) {
        const auto& limits = settings_.channels[static_cast<std::size_t>(key.channel)];
        auto reserved = account->tokens_for(account->chunk_people(limits.chunk_recipients_max));
        const auto waits = parts_.clock.steady_now();
        co_await account->pacer().ready(reserved);
        account->probe().waited(parts_.clock.steady_now() - waits);
        if (!stopping_) co_await claim_and_send(key, *account, reserved, place);
        account->pacer().release(reserved);
    }
    if (descriptor.record) parts_.finished(*descriptor.record);
}

/// `reserved` of the account's rate, and the lane's `place`, become those of the chunk's size.
asio::awaitable<void> Sender::claim_and_send(const ledger::ChunkKey& key, Account& account,
                                             std::size_t& reserved, LaneRoom::Place* place) {
    const auto asked = parts_.clock.steady_now();
    ledger::ClaimRequest request{key, account.settings().name};
    const bool urgent = place == nullptr;
    auto claimed = co_await parts_.batcher.claim(std::move(request), urgent);
    if (!claimed) spdlog::error("{}; the sweeper brings the chunk back", describe(claimed.error()));
    if (!claimed || !claimed.value()) co_return;
    auto& chunk = *claimed.value();
    const auto people_count = chunk.outcomes.size();
    const auto needed = std::min(reserved, account.tokens_for(people_count));
    account.pacer().release(reserved - needed);
    reserved = needed;
    // Doubt stays with the account that caused it, as long as that one is configured.
    Account* const bound = parts_.selector.find(chunk.account);
    Account& serving = bound != nullptr ? *bound : account;
    Recipients people;
    static_cast<ledger::ChunkPeople&>(people) = static_cast<ledger::ChunkPeople&&>(chunk);
    ledger::ChunkClaim claim = static_cast<ledger::ChunkClaim&&>(chunk);
    // Not before: a lane that waits for an account that is held has claimed nothing.
    parts_.probe.chunks_in_flight(key.channel, 1);
    co_await send(std::move(claim), std::move(people), asked, serving, place);
    parts_.probe.chunks_in_flight(key.channel, -1);
}

asio::awaitable<void> Sender::send(ledger::ChunkClaim claimed, Recipients people,
                                   SteadyTime claimed_at, Account& account,
                                   LaneRoom::Place* place) {
    // The ledger's clock may have jumped a moment ago: whether it is too late is asked of the time
    // that is known, where the job is.
    const bool has_expired = std::exchange(people.job_expired, false);
    settle_over(people);  // Before anything is looked up that may not be there any more.
    auto context = co_await known_jobs_.find(claimed.key.job);
    const bool says_when = context && context.value()->job.expires_at;
    const bool may_say_later = !context && is_retryable(context.error().code);
    if (!says_when && !may_say_later) people.job_expired = has_expired;
    settle_over(people);
    std::optional<Failure> unknown_job;
    if (!context) unknown_job = context.error();
    if (place != nullptr) {
        const auto job_bytes = context ? context.value()->bytes : 0;
        place->keep(std::max(people.outcomes.size(), job_bytes / person_bytes));
    }
    const Claim claim{std::move(claimed), context ? context.value() : nullptr,
                      claimed_at + settings_.lease,
                      static_cast<std::int32_t>(settings_.attempts_max)};
    ChunkSpan span{parts_.tracer, claim, people.outcomes.size(),
                   parts_.clock.steady_now() - claimed_at};
    InHand hand{claim, people, span, &account};
    const Situation situation = begin(hand, unknown_job);
    co_await carry_moves_out(hand, situation);
    span.end(people, hand.account->settings());
    // Last: the system may be slow to take it, and the lease is short.
    if (!hand.dead.empty()) co_await parts_.dead_addresses.tell(claim, std::move(hand.dead));
}

asio::awaitable<void> Sender::carry_moves_out(InHand& hand, Situation situation) {
    while (true) {
        const Move move = next_move(to_state(hand), situation);
        switch (move.kind) {
            case Move::Kind::try_all:
                situation = co_await try_all(hand);
                situation.wait = move.wait;
                break;
            case Move::Kind::wait:
                situation = co_await wait_here(hand, move.wait);
                break;
            case Move::Kind::reroute:
                situation = co_await reroute(hand, move.wait);
                break;
            case Move::Kind::release:
            case Move::Kind::give_up:
            case Move::Kind::finish:
                co_await put_back(hand, move);
                co_return;
            case Move::Kind::leave:
                co_return;
        }
    }
}

/// `unknown_job`: why nobody knows what its job is; without that nobody can be tried.
Situation Sender::begin(InHand& hand, const std::optional<Failure>& unknown_job) const {
    if (!unknown_job) {
        look_at_people(hand);
        return situation_after(Situation::After::claim, hand);
    }
    spdlog::error("job {}: {}", hand.claim.key.job, describe(*unknown_job));
    hand.is_job_away = is_retryable(unknown_job->code);
    if (!hand.is_job_away) wait_for_configuration(hand.people);
    Situation situation = situation_after(Situation::After::setback, hand);
    situation.setback = hand.is_job_away ? Setback::job_away : Setback::not_configured;
    return situation;
}

/// One pass: everybody who is still open is tried once, if nothing stands in the way.
asio::awaitable<Situation> Sender::try_all(InHand& hand) {
    Pass pass;
    pass.requests.spare = spare_requests_.take();
    ++hand.passes;
    const auto prepared =
        co_await preparation_.prepare(hand.claim, hand.people, pass, *hand.account);
    if (prepared.setback == Setback::not_split) hand.span.lose();
    if (prepared.setback != Setback::none) {
        Situation situation = situation_after(Situation::After::setback, hand);
        situation.setback = prepared.setback;
        situation.away_for = prepared.away_for;
        co_return situation;
    }
    parts_.probe.lost_zones(pass.requests.lost_zones);
    auto attempts = co_await send_all(hand, pass);
    const bool is_lost = pass.ended_by == Marked::lost;
    if (is_lost) hand.span.lose();
    if (pass.ended_by == Marked::paused) hand.is_paused = true;
    if (!is_lost) attempts = std::max(attempts, look_at_people(hand));
    Situation situation = situation_after(Situation::After::pass, hand);
    situation.is_lost = is_lost;
    situation.attempts = attempts;
    // Also of another chunk: who was asked to wait longer than this claim lasts, or whose slot
    // comes then, is not tried again and again meanwhile.
    const auto latest = latest_begin(hand.claim, *hand.account);
    situation.asked_to_wait = std::max(
        {pass.throttled_for, pass.recipients_wait, hand.account->pacer().blocked_for(latest)});
    situation.quiet_until = only_quiet_left(hand.people, pass);
    co_return situation;
}

/// The requests of a pass; returns what settle_pass() does.
asio::awaitable<std::int32_t> Sender::send_all(InHand& hand, Pass& pass) {
    auto& account = *hand.account;
    ChunkSend::Parts parts{parts_.executor, account, parts_.clock,
                           parts_.pauses,   marker_, hand.span};
    ChunkSend sending{std::move(parts), hand.claim, hand.people, pass};
    co_await sending.run();
    const auto attempts = settle_pass(hand.people, pass);
    spare_requests_.give_back(pass.requests);
    hand.dead.insert(hand.dead.end(), std::make_move_iterator(pass.dead.begin()),
                     std::make_move_iterator(pass.dead.end()));
    // What refuses a credential that was replaced meanwhile says nothing of the new one.
    const bool is_current = pass.provider == account.provider();
    if (pass.refusal && is_current) account.pause(account_pause, *pass.refusal);
    const auto left = pass.throttled_for.count() > 0 ? account.pacer().blocked_for()
                                                     : std::chrono::milliseconds{0};
    if (left.count() > 0) co_await account.pacer().block(left);
    co_return attempts;
}

/// Meanwhile its job may be cancelled.
asio::awaitable<Situation> Sender::wait_here(InHand& hand, std::chrono::milliseconds wait) {
    co_await pause_for(wait);
    auto cancelled = co_await parts_.chunks.is_cancelled(hand.claim.key.job);
    if (cancelled && cancelled.value()) hand.people.job_cancelled = true;
    look_at_people(hand);
    Situation situation = situation_after(Situation::After::wait, hand);
    situation.wait = wait;
    co_return situation;
}

asio::awaitable<Situation> Sender::reroute(InHand& hand, std::chrono::milliseconds wait) {
    Account* const other = parts_.selector.next(hand.claim.key.channel);
    bool has_other = other != nullptr && other != hand.account;
    if (has_other) has_other = co_await other->authorize();
    if (has_other) hand.account = other;
    Situation situation = situation_after(Situation::After::reroute, hand);
    situation.wait = wait;
    situation.has_other_account = has_other;
    co_return situation;
}

/// Records the chunk as it stands: nothing is lost, because the ledger has it.
asio::awaitable<void> Sender::put_back(InHand& hand, Move move) {
    close_told(hand.people);
    if (move.kind == Move::Kind::give_up) give_up(hand.people, move.why);
    co_await record(hand, move);
}

ChunkState Sender::to_state(const InHand& hand) const {
    ChunkState state;
    state.is_settled = is_settled(hand.people);
    state.is_in_doubt = is_in_doubt(hand.people);
    state.waits_for_account = waits_for_account(hand.people);
    state.has_progressed = hand.people.has_progressed;
    state.has_begun = hand.people.has_begun;
    state.is_old = hand.claim.job_created_at + waits_at_most <= parts_.clock.now();
    state.failures = hand.claim.failures;
    return state;
}

Situation Sender::situation_after(Situation::After after, const InHand& hand) const {
    const auto& account = *hand.account;
    const auto& pauses = parts_.pauses;
    Situation now;
    now.after = after;
    now.is_held_back = hand.is_paused || holds_back(pauses, hand.claim) ||
                       pauses.holds(hand.claim.key.channel, account.settings().name);
    now.is_stopping = stopping_;
    now.passes = hand.passes;
    now.account_serves = account.serves();
    now.account_is_usable = account.is_usable();
    now.account_unusable_for = account.unusable_for();
    now.account_timeout = account.settings().timeout;
    now.lease_left = std::chrono::floor<std::chrono::milliseconds>(hand.claim.lease_ends -
                                                                   parts_.clock.steady_now());
    now.backoff_first = settings_.backoff_first;
    now.backoff_max = settings_.backoff_max;
    now.jitter = parts_.jitter();
    return now;
}

/// What time and others have made of them: the job may be over, and the account have served
/// somebody since. Returns what count_faults() does.
std::int32_t Sender::look_at_people(InHand& hand) const {
    const auto& expires = hand.claim.job->job.expires_at;
    if (expires && *expires <= parts_.clock.now()) hand.people.job_expired = true;
    settle_over(hand.people);
    if (!hand.account->serves()) return 0;
    return count_faults(hand.people, hand.claim.attempts_max);
}

asio::awaitable<void> Sender::record(InHand& hand, const Move& move) {
    const auto& key = hand.claim.key;
    const auto& job = hand.claim.job;
    // Named, not a temporary: GCC 12 destroys some temporaries of an awaited call twice.
    std::string name;
    if (job) name = hand.account->settings().name;
    auto entry = to_record(hand.claim, hand.people, std::move(name), move.wait);
    const bool is_over = hand.people.job_cancelled || hand.people.job_expired;
    if (entry.done && hand.is_job_away && !is_over) {
        // Who turns to another channel only the job says: the next claim settles it.
        entry.done = false;
        entry.next_in = account_pause;
    }
    entry.failures = entry.done ? 0 : move.failures;
    if (!entry.done) entry.not_before = move.not_before;
    entry.counted = counted_window(job.get());
    entry.suppressions = std::move(hand.people.suppressions);
    if (entry.done && job) entry.fallback = to_fallback(hand.claim, hand.people, *job, settings_);
    const auto given_up = entry.done ? given_up_in(hand.people) : std::string{};
    auto written = co_await parts_.batcher.record(std::move(entry));
    if (!written || !written.value()) hand.span.lose();
    const LogTrace about{job ? job->trace : std::string_view{}};
    const auto chunk = fmt::format("{}/{}/{}", key.job, to_string(key.channel), key.number);
    if (!written) {
        spdlog::error("chunk {}: {}; its lease settles it", chunk, describe(written.error()));
    } else if (!written.value()) {
        parts_.probe.fenced();
    } else if (!given_up.empty()) {
        spdlog::warn("chunk {}: {}", chunk, given_up);
    }
}

}  // namespace fanfare
