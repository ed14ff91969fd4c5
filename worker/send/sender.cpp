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

#include "core/ledger/addresses.hpp"
#include "core/ledger/jobs.hpp"
#include "core/observe/log.hpp"
#include "worker/send/given_up.hpp"
#include "worker/send/settle.hpp"
#include "worker/send/spans.hpp"

#include <pqxx/nontransaction>

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t contexts_max = 256;
constexpr std::size_t contexts_bytes_max = 8 << 20;  // As written; they take some more.
using Context = std::shared_ptr<const JobContext>;

/// When everyone who is still open is in their quiet hours: the first end of these.
std::optional<TimePoint> only_quiet_left(const ChunkInProgress& work) {
    if (!work.quiet_until) return std::nullopt;
    std::vector<bool> quiet(work.chunk.outcomes.size());
    for (const auto recipient : work.quiet) quiet[recipient] = true;
    for (std::size_t i = 0; i < quiet.size(); ++i) {
        if (!quiet[i] && !is_final(static_cast<Outcome>(work.chunk.outcomes[i]))) {
            return std::nullopt;
        }
    }
    return work.quiet_until;
}

/// Nothing more of it begins with this account: it is put back as it is.
bool is_held_back(const ChunkInProgress& work, const Account& account) {
    const auto& settings = account.settings();
    return work.is_held_back() || work.pauses->holds(settings.channel, settings.name);
}

}  // namespace

asio::awaitable<void> Sender::run_lane(Channel channel, bool urgent_only) {
    while (auto descriptor = co_await parts_.dispatcher.next(channel, urgent_only)) {
        co_await serve(descriptor->key);
        if (descriptor->record) parts_.finished(*descriptor->record);
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

asio::awaitable<void> Sender::serve(const ledger::ChunkKey& key) {
    // Rate and account first, the claim last: what is claimed is sent at once, so that a
    // crash leaves little in doubt.
    Account* const account = co_await account_for(key.channel);
    if (account == nullptr) co_return;
    const auto reserved = account->tokens_for(
        settings_.channels[static_cast<std::size_t>(key.channel)].chunk_recipients_max);
    const auto waits = parts_.clock.steady_now();
    co_await account->pacer().ready(reserved);
    account->probe().waited(parts_.clock.steady_now() - waits);
    if (!stopping_) co_await claim_and_send(key, *account);
    account->pacer().release(reserved);
}

asio::awaitable<void> Sender::claim_and_send(const ledger::ChunkKey& key, Account& account) {
    const auto asked = parts_.clock.steady_now();
    ledger::ClaimRequest request{key, account.settings().name};
    auto claimed = co_await parts_.batcher.claim(std::move(request));
    if (!claimed) spdlog::error("{}; the sweeper brings the chunk back", describe(claimed.error()));
    if (!claimed || !claimed.value()) co_return;
    ChunkInProgress work;
    work.chunk = std::move(*claimed.value());
    work.lease_ends = asked + settings_.lease;
    work.attempts_max = static_cast<std::int32_t>(settings_.attempts_max);
    work.pauses = &parts_.pauses;
    work.tracer = parts_.tracer;
    // Doubt stays with the account that caused it, as long as that one is configured.
    Account* const bound = parts_.selector.find(work.chunk.account);
    Account* const serving = bound != nullptr ? bound : &account;
    // Not before: a lane that waits for an account that is held has claimed nothing.
    parts_.probe.chunks_in_flight(key.channel, 1);
    InHand hand{work, serving};
    co_await carry_moves_out(hand);
    parts_.probe.chunks_in_flight(key.channel, -1);
    end_chunk_span(work, &serving->settings());
}

asio::awaitable<void> Sender::carry_moves_out(InHand& hand) {
    Situation situation = co_await begin(hand);
    while (true) {
        const Move move = next_move(state_of(hand.work), situation);
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

/// Learns what its job is; without that nobody can be tried.
asio::awaitable<Situation> Sender::begin(InHand& hand) {
    auto& work = hand.work;
    settle_over(work.chunk);  // Before anything is looked up that may not be there any more.
    auto context = co_await context_of(work.chunk.key.job);
    if (context) {
        work.job = std::move(context.value());
        if (work.tracer != nullptr) trace(work);
        look_at_people(hand);
        co_return situation_after(Situation::After::claim, hand);
    }
    spdlog::error("job {}: {}", work.chunk.key.job, describe(context.error()));
    const bool is_away = is_retryable(context.error().code);
    if (!is_away) wait_for_configuration(work.chunk);
    Situation situation = situation_after(Situation::After::setback, hand);
    situation.setback = is_away ? Setback::job_away : Setback::not_configured;
    co_return situation;
}

/// One pass: everybody who is still open is tried once, if nothing stands in the way.
asio::awaitable<Situation> Sender::try_all(InHand& hand) {
    auto& work = hand.work;
    ++hand.passes;
    work.throttled_for = {};
    work.recipients_wait = {};
    work.account_refused = false;
    const auto prepared = co_await preparation_.prepare(work, *hand.account);
    if (prepared.setback != Setback::none) {
        Situation situation = situation_after(Situation::After::setback, hand);
        situation.setback = prepared.setback;
        situation.away_for = prepared.away_for;
        co_return situation;
    }
    parts_.probe.lost_zones(work.requests.lost_zones);
    auto attempts = co_await send_all(hand);
    if (!work.lost) attempts = std::max(attempts, look_at_people(hand));
    Situation situation = situation_after(Situation::After::pass, hand);
    situation.is_lost = work.lost;
    situation.attempts = attempts;
    situation.asked_to_wait = std::max(work.throttled_for, work.recipients_wait);
    co_return situation;
}

/// The requests of a pass; returns what settle_pass() does.
asio::awaitable<std::int32_t> Sender::send_all(InHand& hand) {
    auto& work = hand.work;
    auto& account = *hand.account;
    ChunkSend sending{parts_.executor, account, work, parts_.clock, marker_};
    co_await sending.run();
    const auto attempts = settle_pass(work);
    co_await suppress_dead(work);
    if (work.account_refused) account.pause(account_pause, work.refusal);
    if (work.throttled_for.count() > 0) co_await account.pacer().block(work.throttled_for);
    co_return attempts;
}

/// Meanwhile its job may be cancelled.
asio::awaitable<Situation> Sender::wait_here(InHand& hand, std::chrono::milliseconds wait) {
    auto& chunk = hand.work.chunk;
    co_await pause_for(wait);
    const auto look = [&](postgres::Connection& ledger) {
        return ledger::is_cancelled(ledger, chunk.key.job);
    };
    auto cancelled = co_await parts_.ledger.run("look for a cancel", look);
    if (cancelled && cancelled.value()) chunk.job_cancelled = true;
    look_at_people(hand);
    Situation situation = situation_after(Situation::After::wait, hand);
    situation.wait = wait;
    co_return situation;
}

asio::awaitable<Situation> Sender::reroute(InHand& hand, std::chrono::milliseconds wait) {
    Account* const other = parts_.selector.next(hand.work.chunk.key.channel);
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
    close_told(hand.work);
    if (move.kind == Move::Kind::give_up) give_up(hand.work.chunk, move.why);
    const Account* const account = hand.work.job ? hand.account : nullptr;
    co_await record(hand.work, account, move);
}

ChunkState Sender::state_of(const ChunkInProgress& work) const {
    const auto& chunk = work.chunk;
    ChunkState state;
    state.is_settled = is_settled(chunk);
    state.is_in_doubt = is_in_doubt(chunk);
    state.waits_for_account = waits_for_account(chunk);
    state.has_progressed = work.progress;
    state.has_begun = work.begun;
    state.is_old = chunk.job_created_at + waits_at_most <= parts_.clock.now();
    state.failures = chunk.failures;
    if (const auto until = only_quiet_left(work)) {
        state.quiet_for = std::chrono::ceil<std::chrono::milliseconds>(*until - parts_.clock.now());
    }
    return state;
}

Situation Sender::situation_after(Situation::After after, const InHand& hand) const {
    const auto& account = *hand.account;
    Situation now;
    now.after = after;
    now.is_held_back = is_held_back(hand.work, account);
    now.is_stopping = stopping_;
    now.passes = hand.passes;
    now.account_serves = account.serves();
    now.account_is_usable = account.is_usable();
    now.account_unusable_for = account.unusable_for();
    now.account_timeout = account.settings().timeout;
    now.lease_left = std::chrono::floor<std::chrono::milliseconds>(hand.work.lease_ends -
                                                                   parts_.clock.steady_now());
    now.backoff_first = settings_.backoff_first;
    now.backoff_max = settings_.backoff_max;
    now.jitter = parts_.jitter();
    return now;
}

/// What time and others have made of them: the job may be over, and the account have served
/// somebody since. Returns what count_faults() does.
std::int32_t Sender::look_at_people(InHand& hand) const {
    auto& work = hand.work;
    if (work.job->job.expires_at && *work.job->job.expires_at <= parts_.clock.now()) {
        work.chunk.job_expired = true;
    }
    settle_over(work.chunk);
    return hand.account->serves() ? count_faults(work) : 0;
}

/// Its span begins with the claim.
void Sender::trace(ChunkInProgress& work) const {
    const auto since = parts_.clock.steady_now() - (work.lease_ends - settings_.lease);
    begin_chunk_span(
        work, parts_.clock.now() - std::chrono::duration_cast<std::chrono::microseconds>(since));
}

asio::awaitable<void> Sender::suppress_dead(ChunkInProgress& work) {
    if (work.dead.empty() && work.opted_out.empty()) co_return;
    std::vector<ledger::NewSuppression> suppressions;
    for (const auto& address : work.dead) {
        suppressions.push_back({address, std::string{to_string(Reason::address_invalid)}});
    }
    for (const auto& address : work.opted_out) suppressions.push_back({address, "unsubscribed"});
    auto addresses = std::move(work.dead_as_written);
    work.dead.clear();
    work.dead_as_written.clear();
    work.opted_out.clear();
    auto done = co_await parts_.ledger.run("suppress addresses", [&](postgres::Connection& ledger) {
        ledger::add_suppressions(ledger, work.chunk.key.channel, suppressions, "provider");
    });
    if (!done) spdlog::warn("{}", describe(done.error()));
    if (addresses.empty()) co_return;  // Those who opted out are not dead.
    co_await write_back(*work.job, work.chunk.key.channel, std::move(addresses));
}

/// Tells the system which addresses are dead, where it wants to know.
asio::awaitable<void> Sender::write_back(const JobContext& job, Channel channel,
                                         std::vector<std::string> addresses) {
    const auto& query = job.system->write_backs[static_cast<std::size_t>(channel)];
    if (!query) co_return;
    auto& writer = parts_.job_contexts.writer_of(*job.system);
    auto done = co_await writer.run("write dead addresses back", [&](postgres::Connection& source) {
        pqxx::nontransaction work{source.raw()};
        work.exec_params(query->sql, postgres::array_of(addresses));
    });
    if (!done) {
        spdlog::warn("system {}: {}; the addresses are suppressed here all the same",
                     job.system->name, describe(done.error()));
    }
}

asio::awaitable<void> Sender::record(ChunkInProgress& work, const Account* account,
                                     const Move& move) {
    const auto channel = work.chunk.key.channel;
    // Named, not a temporary: GCC 12 destroys some temporaries of an awaited call twice.
    std::string name;
    if (account != nullptr) name = account->settings().name;
    auto entry = record_of(work.chunk, std::move(name), move.wait);
    entry.failures = entry.done ? 0 : move.failures;
    entry.counted = counted_window(work.job.get());
    if (entry.done && work.job) entry.fallback = fallback_of(work.chunk, *work.job, settings_);
    const auto given_up = entry.done ? given_up_in(work.chunk) : std::string{};
    auto written = co_await parts_.batcher.record(std::move(entry));
    const LogTrace about{work.job ? work.job->trace : std::string_view{}};
    if (!written) {
        spdlog::error("chunk {}/{}/{}: {}; its lease settles it", work.chunk.key.job,
                      to_string(channel), work.chunk.key.number, describe(written.error()));
    } else if (!written.value()) {
        parts_.probe.fenced();
    } else if (!given_up.empty()) {
        spdlog::warn("chunk {}/{}/{}: {}", work.chunk.key.job, to_string(channel),
                     work.chunk.key.number, given_up);
    }
}

asio::awaitable<Result<Context>> Sender::context_of(const std::string& job) {
    const auto known = contexts_.find(job);
    if (known != contexts_.end()) co_return known->second;
    const auto load = [&](postgres::Connection& connection) -> Result<Context> {
        const auto row = ledger::load_job(connection, job);
        if (!row) return fail(Errc::job_rejected, "find it in the ledger");
        return parts_.job_contexts.load_context(connection, row->body, row->own_templates,
                                                row->origin, row->trace);
    };
    auto loaded = co_await parts_.ledger.run("load a job", load);
    if (!loaded) co_return loaded.error();
    if (!loaded.value()) co_return loaded.value().error();
    auto& context = loaded.value().value();
    contexts_bytes_ += context->bytes;
    if (contexts_.size() >= contexts_max || contexts_bytes_ > contexts_bytes_max) {
        contexts_.clear();
        contexts_bytes_ = context->bytes;
    }
    contexts_.emplace(job, context);
    co_return context;
}

}  // namespace fanfare
