#include "worker/sweep/sweeper.hpp"

#include "core/ledger/jobs.hpp"
#include "core/wire/descriptor.hpp"
#include "worker/send/settle.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr int chunks_per_sweep_max = 1'000;
constexpr int plans_per_sweep_max = 256;
constexpr std::size_t stalled_per_sweep_max = 100;  // These carry their recipients.

}  // namespace

asio::awaitable<void> Sweeper::run() {
    while (!stopping_) {
        co_await settle_stalled_chunks();
        co_await republish_overdue();
        co_await resume_plans();
        co_await close_jobs();
        co_await parts_.receipts.apply_early();
        co_await pause_for(settings_.sweep_interval);
    }
    co_await settling_.join();
}

/// Looks whether the ledger is there, and whether those who live have had their say.
asio::awaitable<bool> Sweeper::may_take_over() {
    const auto asked = parts_.clock.moment();
    const auto there = co_await parts_.ledger.run(
        "look for the ledger", [](postgres::Connection& ledger) { ledger::look(ledger); });
    if (!there) {
        outage_.failed(asked);
        spdlog::warn("{}", describe(there.error()));
        co_return false;
    }
    const auto now = parts_.clock.moment();
    outage_.answered(asked, now);
    co_return outage_.is_over(now) && !parts_.desk.is_behind() &&
        settling_.running() < stalled_per_sweep_max;
}

asio::awaitable<void> Sweeper::settle_stalled_chunks() {
    const bool may = co_await may_take_over();
    if (!may) co_return;
    auto stalled =
        co_await parts_.ledger.run("take over chunks", [&](postgres::Connection& ledger) {
            return ledger::take_over_stalled(ledger, static_cast<int>(stalled_per_sweep_max),
                                             settings_.lease);
        });
    if (!stalled) {
        spdlog::warn("{}", describe(stalled.error()));
        co_return;
    }
    if (stalled.value().empty()) co_return;
    parts_.probe.taken_over(stalled.value().size());
    spdlog::warn("took over {} chunks whose worker died or stalled", stalled.value().size());
    for (auto& chunk : stalled.value()) settling_.spawn(settle(std::move(chunk)));
}

/// Each by itself: one whose row somebody has locked holds up no other.
asio::awaitable<void> Sweeper::settle(ledger::ClaimedChunk chunk) {
    settle_stalled(chunk);
    auto entry = record_of(chunk, chunk.account, {});
    entry.taken_over = true;
    if (entry.done) {
        const auto load = [&](postgres::Connection& ledger) {
            return ledger::load_job(ledger, chunk.key.job);
        };
        const auto job = co_await parts_.ledger.run("load a job", load);
        if (!job) {
            spdlog::warn("{}; the next lease settles its chunk", describe(job.error()));
            co_return;
        }
        // No longer configured: there is no channel to turn to.
        const auto context = parts_.sources.understand(job.value() ? job.value()->body : "");
        if (context) {
            entry.fallback = fallback_of(chunk, *context.value(), settings_);
            const auto& cap = context.value()->kind->at_most;
            if (cap) entry.counted = cap->window;
        }
    }
    auto written = co_await parts_.desk.record(std::move(entry));
    if (!written) spdlog::warn("{}", describe(written.error()));
}

asio::awaitable<void> Sweeper::republish_overdue() {
    auto overdue =
        co_await parts_.ledger.run("find overdue chunks", [&](postgres::Connection& ledger) {
            return ledger::take_overdue(ledger, chunks_per_sweep_max, settings_.republish_after);
        });
    if (!overdue) {
        spdlog::warn("{}", describe(overdue.error()));
        co_return;
    }
    for (const auto& chunk : overdue.value()) {
        const auto key = fmt::format("{}/{}/{}", chunk.key.job, static_cast<int>(chunk.key.channel),
                                     chunk.key.number);
        auto queued =
            parts_.producer.publish({parts_.topics.chunks[static_cast<std::size_t>(chunk.lane)],
                                     key,
                                     encode_descriptor(chunk.key),
                                     {}},
                                    {});
        if (!queued) {
            spdlog::warn("{}", describe(queued.error()));
            co_return;
        }
    }
    if (!overdue.value().empty()) parts_.probe.republished(overdue.value().size());
}

asio::awaitable<void> Sweeper::resume_plans() {
    auto jobs = co_await parts_.ledger.run("find unplanned jobs", [](postgres::Connection& ledger) {
        ledger::end_expired_plans(ledger);
        return ledger::unplanned_jobs(ledger, plans_per_sweep_max);
    });
    if (!jobs) co_return;
    for (const auto& [job, lane] : jobs.value()) parts_.plan(job, lane);
}

asio::awaitable<void> Sweeper::close_jobs() {
    auto closed = co_await parts_.ledger.run(
        "close jobs", [](postgres::Connection& ledger) { return ledger::finish_jobs(ledger, {}); });
    if (!closed) spdlog::warn("{}", describe(closed.error()));
}

}  // namespace fanfare
