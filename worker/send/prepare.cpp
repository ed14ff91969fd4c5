#include "worker/send/prepare.hpp"

#include "core/observe/log.hpp"
#include "worker/send/quiet.hpp"
#include "worker/send/settle.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds ledger_wait{1'000};
constexpr std::chrono::milliseconds away_first{1'000};
constexpr std::chrono::milliseconds away_max{30'000};
// With the default backoff eight minutes: a table that is renamed back costs nobody anything.
constexpr std::int32_t query_failures_max = 10;

}  // namespace

/// Its chunks are put back for a while, and not all for the same.
Preparation::Prepared Preparation::is_away(const postgres::Pool* source) {
    const auto found = away_.find(source);
    if (found == away_.end()) return {};
    const auto now = parts_.clock.steady_now();
    if (now >= found->second.until) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(found->second.until - now);
    return {End::later, wait_after({left, left}, 1, parts_.jitter())};
}

Preparation::Prepared Preparation::is_slow(const ChunkInProgress& work) const {
    const Backoff backoff{settings_.backoff_first, settings_.backoff_max};
    return {End::later, wait_after(backoff, work.chunk.failures + 1, parts_.jitter()), true};
}

/// After so many failures in a row the query is not waited for any longer.
Preparation::Prepared Preparation::fails(ChunkInProgress& work, const Failure& failure) {
    const LogTrace about{work.job->trace};
    spdlog::error("job {} chunk {}/{}: {} ({} in a row)", work.job->job.id,
                  to_string(work.chunk.key.channel), work.chunk.key.number, describe(failure),
                  work.chunk.failures + 1);
    if (work.chunk.failures + 1 < query_failures_max) return is_slow(work);
    settle_rest(work.chunk, {Outcome::failed, Reason::query_failed});
    work.requests = {};
    work.resolved.targets.clear();
    work.resolved.fates.assign(work.chunk.outcomes.size(), {});
    return {};
}

asio::awaitable<Preparation::Prepared> Preparation::load(ChunkInProgress& work) {
    const JobContext& job = *work.job;
    auto away = is_away(job.source);
    if (away.end == End::later) co_return away;
    auto loaded = co_await job.source->run("load contacts", [&](postgres::Connection& source) {
        return load_contacts(source, job, work.chunk, work.resolved);
    });
    if (!loaded && is_retryable(loaded.error().code)) {
        auto& absence = away_[job.source];
        absence.wait = std::clamp(absence.wait * 2, away_first, away_max);
        absence.until = parts_.clock.steady_now() + absence.wait;
        spdlog::error("system {}: {}; its chunks wait", job.system->name, describe(loaded.error()));
        co_return is_away(job.source);
    }
    away_.erase(job.source);
    if (!loaded) co_return fails(work, loaded.error());
    switch (loaded.value()) {
        case ContactsRead::fails: {
            const auto why = fail(Errc::store_rejected, "load contacts of anybody of the chunk");
            co_return fails(work, why);
        }
        case ContactsRead::slow:
            spdlog::error("system {}: its contact query takes too long", job.system->name);
            co_return is_slow(work);
        case ContactsRead::part:  // So many that finding them is a turn of its own.
            settle_pass(work);
            co_return Prepared{End::later, ledger_wait};
        case ContactsRead::whole:
            break;
    }
    const auto culprits =
        std::count_if(work.resolved.fates.begin(), work.resolved.fates.end(),
                      [](const Fate& fate) { return fate.reason == Reason::recipient_invalid; });
    if (culprits > 0) {
        const LogTrace about{job.trace};
        spdlog::warn("job {} chunk {}/{}: the contact query raises an error at {} people",
                     job.job.id, to_string(work.chunk.key.channel), work.chunk.key.number,
                     culprits);
    }
    auto deferred = co_await defer_quiet(work);
    co_return deferred;
}

/// Sets those aside who are in their quiet hours: in chunks of their own as long as nobody of this
/// one was tried, otherwise, and when nobody else is left, they wait in it.
asio::awaitable<Preparation::Prepared> Preparation::defer_quiet(ChunkInProgress& work) {
    work.quiet.clear();
    work.quiet_until.reset();
    auto splits = set_quiet_aside(*work.job, parts_.clock.now(), work.resolved);
    if (splits.empty()) co_return Prepared{};
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
        if (splits.empty()) co_return Prepared{};
    }
    const auto split_off = [&](postgres::Connection& ledger) {
        return ledger::split_chunk(ledger, work.chunk, splits);
    };
    auto split = co_await parts_.ledger.run("split a chunk", split_off);
    if (!split) split = co_await parts_.ledger.run("split a chunk", split_off);
    if (!split || !split.value()) {
        const LogTrace about{work.job->trace};
        spdlog::warn("chunk {}/{}/{}: could not be split for quiet hours; it comes back",
                     work.chunk.key.job, to_string(work.chunk.key.channel), work.chunk.key.number);
        co_return Prepared{End::lost};
    }
    // Positions have changed: once more for those who stayed.
    auto loaded = co_await load(work);
    co_return loaded;
}

asio::awaitable<Preparation::Prepared> Preparation::prepare(ChunkInProgress& work,
                                                            Account& account) {
    const JobContext& job = *work.job;
    auto loaded = co_await load(work);
    if (loaded.end != End::ready || is_settled(work.chunk)) co_return loaded;
    std::erase_if(work.resolved.targets, [&work](const Target& target) {
        return !work.served.empty() && work.served.contains(target.address);
    });
    work.provider = account.provider();
    const ComposeContext context{.provider = *work.provider,
                                 .references = parts_.references,
                                 .batch_max = account.batch_max(),
                                 .now = parts_.clock.now()};
    auto written =
        co_await parts_.ledger.run("suppress and render", [&](postgres::Connection& ledger) {
            apply_suppressions(ledger, job, work.chunk, work.resolved);
            return compose_requests(job, work.chunk, work.resolved, context, work.requests);
        });
    if (!written) {
        const LogTrace about{job.trace};
        spdlog::error("job {}: {}", job.job.id, describe(written.error()));
        if (is_retryable(written.error().code)) co_return Prepared{End::later, ledger_wait};
        co_return is_slow(work);
    }
    if (!written.value()) {
        // Checked when the job was planned, so a template was changed for the worse since.
        const LogTrace about{job.trace};
        spdlog::error("job {}: {}", job.job.id, describe(written.value().error()));
        settle_rest(work.chunk, {Outcome::failed, Reason::request_refused});
        work.requests = {};
        work.resolved.fates.assign(work.chunk.outcomes.size(), {});
    }
    for (const auto* const target : work.requests.too_long) {
        auto& fate = work.resolved.fates[target->recipient];
        fate = merge(fate, {Outcome::failed, Reason::content_too_large});
    }
    co_return Prepared{};
}

}  // namespace fanfare
