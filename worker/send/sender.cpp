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
// Where else to look: prepare.cpp (who may be told, and their text), chunk_send.cpp (requests),
// chunk_answers.cpp and outcome_rules.cpp (what an answer means), settle.cpp (what the chunk
// becomes).
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
constexpr std::chrono::milliseconds in_place_wait_max{3'000};
constexpr std::chrono::milliseconds lease_reserve{5'000};  // Kept for recording.
constexpr std::chrono::milliseconds account_pause{30'000};
// Who waits for an account without an end of their own waits a day, and a while after it.
constexpr std::chrono::hours waits_at_most{24};
constexpr std::chrono::minutes configuration_wait_max{10};
constexpr std::int32_t failures_of_old_max = 20;
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
    if (stopping_) {
        account->pacer().release(reserved);
        co_return;
    }
    const auto asked = parts_.clock.steady_now();
    ledger::ClaimRequest request{key, account->settings().name};
    auto claimed = co_await parts_.batcher.claim(std::move(request));
    if (!claimed) {
        spdlog::error("{}; the sweeper brings the chunk back", describe(claimed.error()));
    } else if (claimed.value()) {
        ChunkInProgress work;
        work.chunk = std::move(*claimed.value());
        work.lease_ends = asked + settings_.lease;
        work.attempts_max = static_cast<std::int32_t>(settings_.attempts_max);
        work.pauses = &parts_.pauses;
        work.tracer = parts_.tracer;
        // Doubt stays with the account that caused it, as long as that one is configured.
        Account* const bound = parts_.selector.find(work.chunk.account);
        Account* const serving = bound != nullptr ? bound : account;
        // Not before: a lane that waits for an account that is held has claimed nothing.
        parts_.probe.chunks_in_flight(key.channel, 1);
        co_await send(work, serving);
        parts_.probe.chunks_in_flight(key.channel, -1);
        end_chunk_span(work);
    }
    account->pacer().release(reserved);
}

/// The job may have expired since the claim.
void Sender::end_if_over(ChunkInProgress& work) const {
    auto& expired = work.chunk.job_expired;
    if (work.job && work.job->job.expires_at) {
        expired = expired || *work.job->job.expires_at <= parts_.clock.now();
    }
    settle_over(work.chunk);
}

/// The ledger is away for a moment, or the system or the kind is not configured here: any more, or
/// not yet.
asio::awaitable<void> Sender::wait_without_context(ChunkInProgress& work, const Failure& failure) {
    spdlog::error("job {}: {}", work.chunk.key.job, describe(failure));
    if (is_retryable(failure.code) || is_settled(work.chunk)) {
        co_await put_back(work, nullptr, account_pause, false);
        co_return;
    }
    wait_for_configuration(work.chunk);
    const Backoff backoff{account_pause, configuration_wait_max};
    const auto wait = wait_after(backoff, work.chunk.failures + 1, parts_.jitter());
    co_await put_back(work, nullptr, wait, true);
}

/// Its span begins with the claim.
void Sender::trace(ChunkInProgress& work) const {
    begin_chunk_span(work, parts_.clock.steady_now() - (work.lease_ends - settings_.lease));
}

asio::awaitable<void> Sender::send(ChunkInProgress& work, Account* account) {
    // Before anything is looked up that may not be there any more.
    end_if_over(work);
    auto context = co_await context_of(work.chunk.key.job);
    if (!context) {
        co_await wait_without_context(work, context.error());
        co_return;
    }
    work.job = std::move(context.value());
    if (work.tracer != nullptr) trace(work);
    std::chrono::milliseconds wait{0};
    for (std::int32_t passes = 1;; ++passes) {
        if (passes > 1) co_await look_for_cancel(work);
        end_if_over(work);
        if (account->serves()) count_faults(work);
        if (is_settled(work.chunk) || is_held_back(work, *account)) break;
        work.begin_pass(account->settings().name);
        const auto prepared = co_await preparation_.prepare(work, *account);
        work.unrecorded = prepared.end == Preparation::End::lost;
        if (work.unrecorded) co_return;
        if (prepared.end == Preparation::End::later) {
            co_await put_back(work, account, prepared.wait, prepared.counts);
            co_return;
        }
        parts_.probe.lost_zones(work.requests.lost_zones);
        auto attempts = co_await run(work, *account);
        if (work.lost && !work.begun) co_return;
        if (work.lost) break;
        end_if_over(work);
        if (account->serves()) attempts = std::max(attempts, count_faults(work));
        if (is_settled(work.chunk)) break;
        wait = wait_of(work, *account, attempts, passes);
        if (const auto until = only_quiet_left(work)) {
            wait = std::max(
                wait, std::chrono::ceil<std::chrono::milliseconds>(*until - parts_.clock.now()));
            break;
        }
        // Also when another chunk had it stopped: nothing of this one was sent.
        if (!account->is_usable()) {
            Account* const other = co_await other_account(work, account);
            if (other != nullptr) {
                account = other;
            } else {
                wait = std::max(wait, account->unusable_for());
            }
        }
        const bool lasts =
            parts_.clock.steady_now() + wait + account->settings().timeout + lease_reserve <
            work.lease_ends;
        if (wait > in_place_wait_max || !lasts || stopping_ || is_held_back(work, *account)) break;
        co_await pause_for(wait);
    }
    const bool failed =
        !work.progress && !is_held_back(work, *account) && waits_for_account(work.chunk);
    co_await put_back(work, account, wait, failed);
}

/// Between tries in place a job may have been cancelled.
asio::awaitable<void> Sender::look_for_cancel(ChunkInProgress& work) {
    const auto look = [&](postgres::Connection& ledger) {
        return ledger::is_cancelled(ledger, work.chunk.key.job);
    };
    auto cancelled = co_await parts_.ledger.run("look for a cancel", look);
    if (cancelled && cancelled.value()) work.chunk.job_cancelled = true;
}

/// How long those who are still open wait.
std::chrono::milliseconds Sender::wait_of(ChunkInProgress& work, const Account& account,
                                          std::int32_t attempts, std::int32_t passes) {
    auto wait = std::max(work.throttled_for, work.recipients_wait);
    auto tries = attempts;
    // While the account is at fault nobody's attempts are spent, and still nobody hurries.
    if (!account.serves() && waits_for_account(work.chunk)) {
        tries = std::max(tries, passes + work.chunk.failures);
    }
    if (tries == 0) return wait;
    const Backoff backoff{settings_.backoff_first, settings_.backoff_max};
    return std::max(wait, wait_after(backoff, tries, parts_.jitter()));
}

/// Records the chunk as it stands; who is open waits for `next_in`. `failed`: one more claim in a
/// row that brought nobody further, through nobody's fault of its own.
asio::awaitable<void> Sender::put_back(ChunkInProgress& work, const Account* account,
                                       std::chrono::milliseconds next_in, bool failed) {
    close_told(work);
    auto& failures = work.chunk.failures;
    if (failed) {
        ++failures;
    } else if (work.progress) {
        failures = 0;
    }
    const bool is_old = work.chunk.job_created_at + waits_at_most <= parts_.clock.now();
    if (failed && is_old && failures >= failures_of_old_max) give_up(work.chunk);
    co_await record(work, account, next_in);
}

/// One pass over everyone who is still open; returns what settle_pass() does.
asio::awaitable<std::int32_t> Sender::run(ChunkInProgress& work, Account& account) {
    ChunkSend sending{parts_.executor, account, work, parts_.clock, marker_};
    co_await sending.run();
    const auto attempts = settle_pass(work);
    co_await suppress_dead(work);
    if (work.account_refused) account.pause(account_pause, work.refusal);
    if (work.throttled_for.count() > 0) co_await account.pacer().block(work.throttled_for);
    co_return attempts;
}

/// Another account for what is left of a chunk; none while somebody's answer is in doubt,
/// because only the first one could hide a second message.
asio::awaitable<Account*> Sender::other_account(const ChunkInProgress& work, Account* account) {
    if (is_in_doubt(work.chunk)) co_return nullptr;
    Account* const other = parts_.selector.next(work.chunk.key.channel);
    if (other == nullptr || other == account) co_return nullptr;
    const bool authorized = co_await other->authorize();
    co_return authorized ? other : nullptr;
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
                                     std::chrono::milliseconds next_in) {
    const auto channel = work.chunk.key.channel;
    // Named, not a temporary: GCC 12 destroys some temporaries of an awaited call twice.
    std::string name;
    if (account != nullptr) name = account->settings().name;
    auto entry = record_of(work.chunk, std::move(name), next_in);
    entry.failures = entry.done ? 0 : work.chunk.failures;
    entry.counted = counted_window(work.job.get());
    if (entry.done && work.job) entry.fallback = fallback_of(work.chunk, *work.job, settings_);
    const auto given_up = entry.done ? given_up_in(work.chunk) : std::string{};
    auto written = co_await parts_.batcher.record(std::move(entry));
    const LogTrace about{work.job ? work.job->trace : std::string_view{}};
    work.unrecorded = !written || !written.value();
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
