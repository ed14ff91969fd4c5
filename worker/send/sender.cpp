#include "worker/send/sender.hpp"

#include "core/ledger/addresses.hpp"
#include "core/ledger/jobs.hpp"
#include "worker/send/quiet.hpp"
#include "worker/send/settle.hpp"

#include <pqxx/nontransaction>

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds in_place_wait_max{3'000};
constexpr std::chrono::milliseconds lease_reserve{5'000};  // Kept for recording.
constexpr std::chrono::milliseconds account_pause{30'000};
constexpr std::chrono::milliseconds database_wait{1'000};
constexpr std::size_t contexts_max = 256;
using Context = std::shared_ptr<const JobContext>;

/// When everyone who is still open is in their quiet hours: the first end of these.
std::optional<TimePoint> only_quiet_left(const Work& work) {
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

}  // namespace

asio::awaitable<void> Sender::run_lane(Channel channel, bool urgent_only) {
    while (auto descriptor = co_await parts_.dispatcher.next(channel, urgent_only)) {
        parts_.probe.chunks_in_flight(channel, 1);
        co_await serve(descriptor->key);
        parts_.probe.chunks_in_flight(channel, -1);
        if (descriptor->record) parts_.finished(*descriptor->record);
    }
}

asio::awaitable<Account*> Sender::account_for(Channel channel) {
    while (!stopping_) {
        Account* const account = parts_.roster.next(channel);
        if (account == nullptr) {
            const auto wait = parts_.roster.wait(channel);
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
    co_await account->pacer().ready(reserved);
    if (stopping_) {
        account->pacer().release(reserved);
        co_return;
    }
    const auto asked = parts_.clock.moment();
    ledger::ClaimRequest request{key, account->settings().name};
    auto claimed = co_await parts_.desk.claim(std::move(request));
    if (!claimed) {
        spdlog::error("{}; the sweeper brings the chunk back", describe(claimed.error()));
    } else if (claimed.value()) {
        Work work;
        work.chunk = std::move(*claimed.value());
        work.lease_ends = asked + settings_.lease;
        work.attempts_max = static_cast<std::int32_t>(settings_.attempts_max);
        // Doubt stays with the account that caused it, as long as that one is configured.
        Account* const bound = parts_.roster.find(work.chunk.account);
        co_await send(work, bound != nullptr ? bound : account);
    }
    account->pacer().release(reserved);
}

asio::awaitable<void> Sender::send(Work& work, Account* account) {
    work.job = co_await context_of(work.chunk.key.job);
    if (!work.job) {
        co_await record(work, nullptr, account_pause);
        co_return;
    }
    std::chrono::milliseconds wait{0};
    while (true) {
        const auto& expires = work.job->job.expires_at;
        if (work.chunk.job_cancelled) {
            settle_rest(work.chunk, {Outcome::cancelled, Reason::job_cancelled});
        } else if (work.chunk.job_expired || (expires && *expires <= parts_.clock.now())) {
            settle_rest(work.chunk, {Outcome::expired, Reason::past_expiry});
        }
        if (is_settled(work.chunk)) break;
        work.throttled_for = {};
        work.recipients_wait = {};
        work.account_refused = false;
        if (!co_await prepare(work, *account)) {
            if (work.lost) co_return;
            wait = database_wait;
            break;
        }
        const auto attempts = co_await fly(work, *account);
        if (is_settled(work.chunk)) break;
        wait = std::max(work.throttled_for, work.recipients_wait);
        if (const auto until = only_quiet_left(work)) {
            wait = std::max(
                wait, std::chrono::ceil<std::chrono::milliseconds>(*until - parts_.clock.now()));
            break;
        }
        if (attempts > 0) {
            wait = std::max(wait, wait_after({settings_.backoff_first, settings_.backoff_max},
                                             attempts, parts_.jitter()));
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
            parts_.clock.moment() + wait + account->settings().timeout + lease_reserve <
            work.lease_ends;
        if (wait > in_place_wait_max || !lasts || stopping_) break;
        co_await pause_for(wait);
    }
    close_told(work);
    co_await record(work, account, wait);
}

/// One pass over everyone who is still open; returns what settle_pass() does.
asio::awaitable<std::int32_t> Sender::fly(Work& work, Account& account) {
    Flight flight{parts_.executor, account, work, parts_.clock};
    co_await flight.fly();
    const auto attempts = settle_pass(work);
    co_await suppress_dead(work);
    if (work.account_refused) account.pause(account_pause, work.refusal);
    if (work.throttled_for.count() > 0) co_await account.pacer().block(work.throttled_for);
    co_return attempts;
}

/// Another account for what is left of a chunk; none while somebody's answer is in doubt,
/// because only the first one could hide a second message.
asio::awaitable<Account*> Sender::other_account(const Work& work, Account* account) {
    if (is_in_doubt(work.chunk)) co_return nullptr;
    Account* const other = parts_.roster.next(work.chunk.key.channel);
    if (other == nullptr || other == account) co_return nullptr;
    const bool authorized = co_await other->authorize();
    co_return authorized ? other : nullptr;
}

asio::awaitable<bool> Sender::load(Work& work) {
    const JobContext& job = *work.job;
    auto loaded = co_await job.source->run("load contacts", [&](postgres::Connection& source) {
        load_contacts(source, job, work.chunk, work.resolved);
    });
    if (!loaded) {
        spdlog::error("job {}: {}", job.job.id, describe(loaded.error()));
        co_return false;
    }
    const bool deferred = co_await defer_quiet(work);
    co_return deferred;
}

/// Sets those aside who are in their quiet hours: in chunks of their own as long as nobody of this
/// one was tried, otherwise, and when nobody else is left, they wait in it. False: the chunk is
/// no longer ours, or the ledger is away.
asio::awaitable<bool> Sender::defer_quiet(Work& work) {
    work.quiet.clear();
    work.quiet_until.reset();
    auto splits = set_quiet_aside(*work.job, parts_.clock.now(), work.resolved);
    if (splits.empty()) co_return true;
    std::size_t people = 0;
    for (const auto& split : splits) people += split.positions.size();
    const bool waits_here = people == work.chunk.outcomes.size() || !is_untouched(work.chunk);
    if (waits_here) {
        work.quiet_until = splits.front().next_at;
        const std::size_t here = is_untouched(work.chunk) ? 1 : splits.size();
        for (std::size_t i = 0; i < here; ++i) {
            const auto& positions = splits[i].positions;
            work.quiet.insert(work.quiet.end(), positions.begin(), positions.end());
        }
        splits.erase(splits.begin(), splits.begin() + static_cast<std::ptrdiff_t>(here));
        if (splits.empty()) co_return true;
    }
    const auto split_off = [&](postgres::Connection& ledger) {
        return ledger::split_chunk(ledger, work.chunk, splits);
    };
    auto split = co_await parts_.ledger.run("split a chunk", split_off);
    if (!split) split = co_await parts_.ledger.run("split a chunk", split_off);
    if (!split || !split.value()) {
        spdlog::warn("chunk {}/{}/{}: could not be split for quiet hours; its lease settles it",
                     work.chunk.key.job, to_string(work.chunk.key.channel), work.chunk.key.number);
        work.lost = true;
        co_return false;
    }
    // Positions have changed: once more for those who stayed.
    const bool loaded = co_await load(work);
    co_return loaded;
}

asio::awaitable<bool> Sender::prepare(Work& work, Account& account) {
    const JobContext& job = *work.job;
    const bool ready = co_await load(work);
    if (!ready) co_return false;
    std::erase_if(work.resolved.targets, [&work](const Target& target) {
        return !work.served.empty() && work.served.contains(target.address);
    });
    work.provider = account.provider();
    const Stationery stationery{.provider = *work.provider,
                                .references = parts_.references,
                                .batch_max = account.batch_max(),
                                .now = parts_.clock.now()};
    auto written =
        co_await parts_.ledger.run("suppress and render", [&](postgres::Connection& ledger) {
            apply_suppressions(ledger, job, work.chunk, work.resolved);
            return write_letters(job, work.chunk, work.resolved, stationery, work.letters);
        });
    if (!written) {
        spdlog::error("job {}: {}", job.job.id, describe(written.error()));
        co_return false;
    }
    if (!written.value()) {
        // Checked when the job was planned, so a template was changed for the worse since.
        spdlog::error("job {}: {}", job.job.id, describe(written.value().error()));
        settle_rest(work.chunk, {Outcome::failed, Reason::request_refused});
        work.letters = {};
        work.resolved.fates.assign(work.chunk.outcomes.size(), {});
    }
    for (const auto* const target : work.letters.too_long) {
        auto& fate = work.resolved.fates[target->recipient];
        fate = merge(fate, {Outcome::failed, Reason::content_too_large});
    }
    co_return true;
}

asio::awaitable<void> Sender::suppress_dead(Work& work) {
    if (work.dead.empty()) co_return;
    std::vector<ledger::NewSuppression> suppressions;
    for (const auto& address : work.dead) {
        suppressions.push_back({address, std::string{to_string(Reason::address_invalid)}});
    }
    auto addresses = std::move(work.dead);
    work.dead.clear();
    auto done = co_await parts_.ledger.run("suppress addresses", [&](postgres::Connection& ledger) {
        ledger::add_suppressions(ledger, work.chunk.key.channel, suppressions, "provider");
    });
    if (!done) spdlog::warn("{}", describe(done.error()));
    co_await write_back(*work.job, work.chunk.key.channel, std::move(addresses));
}

/// Tells the system which addresses are dead, where it wants to know.
asio::awaitable<void> Sender::write_back(const JobContext& job, Channel channel,
                                         std::vector<std::string> addresses) {
    const auto& query = job.system->write_backs[static_cast<std::size_t>(channel)];
    if (!query) co_return;
    auto& writer = parts_.sources.writer_of(*job.system);
    auto done = co_await writer.run("write dead addresses back", [&](postgres::Connection& source) {
        pqxx::nontransaction work{source.raw()};
        work.exec_params(query->sql, postgres::array_of(addresses));
    });
    if (!done) {
        spdlog::warn("system {}: {}; the addresses are suppressed here all the same",
                     job.system->name, describe(done.error()));
    }
}

asio::awaitable<void> Sender::record(Work& work, const Account* account,
                                     std::chrono::milliseconds next_in) {
    const auto channel = work.chunk.key.channel;
    auto tally = ledger::tally_of(work.chunk.outcomes);
    // Named, not a temporary: GCC 12 destroys some temporaries of an awaited call twice.
    std::string name;
    if (account != nullptr) name = account->settings().name;
    auto entry = record_of(work.chunk, std::move(name), next_in);
    if (work.job && work.job->kind->at_most) entry.counted = work.job->kind->at_most->window;
    if (entry.done && work.job) entry.fallback = fallback_of(work.chunk, *work.job, settings_);
    auto written = co_await parts_.desk.record(std::move(entry));
    if (!written) {
        spdlog::error("chunk {}/{}/{}: {}; its lease settles it", work.chunk.key.job,
                      to_string(channel), work.chunk.key.number, describe(written.error()));
    } else if (!written.value()) {
        parts_.probe.fenced();
    } else {
        for (std::size_t i = 0; i < tally.size(); ++i) {
            if (!is_final(static_cast<Outcome>(i))) tally[i] = 0;
        }
        parts_.probe.settled(channel, tally);
    }
}

asio::awaitable<std::shared_ptr<const JobContext>> Sender::context_of(const std::string& job) {
    const auto known = contexts_.find(job);
    if (known != contexts_.end()) co_return known->second;
    const auto load = [&](postgres::Connection& connection) -> Result<Context> {
        const auto row = ledger::load_job(connection, job);
        if (!row) return fail(Errc::job_rejected, "find it in the ledger");
        return parts_.sources.understand(connection, row->body, row->own_templates);
    };
    auto loaded = co_await parts_.ledger.run("load a job", load);
    if (!loaded || !loaded.value()) {
        const auto& failure = loaded ? loaded.value().error() : loaded.error();
        spdlog::error("job {}: {}", job, describe(failure));
        co_return nullptr;
    }
    auto& context = loaded.value().value();
    own_bytes_ += context->own_bytes;
    if (contexts_.size() >= contexts_max || own_bytes_ > Sources::own_bytes_max) {
        contexts_.clear();
        own_bytes_ = context->own_bytes;
    }
    contexts_.emplace(job, context);
    co_return context;
}

}  // namespace fanfare
