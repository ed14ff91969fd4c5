#include "worker/sweep/sweeper.hpp"

#include "core/clock/timer.hpp"
#include "core/observe/log.hpp"
#include "worker/send/given_up.hpp"
#include "worker/send/settle.hpp"
#include "worker/sweep/closer.hpp"

#include <spdlog/spdlog.h>

#include <tuple>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t room_max = 256;
constexpr int plans_per_sweep_max = 256;
constexpr int suppressions_per_sweep_max = 1'000;
constexpr int settled_at_once_max = 100;  // These carry their recipients.
constexpr int turns_at_rest = 10;         // One of so many is whole, whatever the ledger says.

}  // namespace

asio::awaitable<void> Sweeper::run() {
    settling_.spawn(end_jobs());
    looking_.spawn(keep_looking());
    for (int turn = 0; !stopping_; ++turn) {
        if (is_worth_it(turn)) co_await sweep();
        co_await pause_to_beat(settings_.sweep_interval);
    }
    co_await looking_.join();
    co_await settling_.join();
}

/// A ledger in which nothing is open is asked for that alone, not for each thing by itself.
bool Sweeper::is_worth_it(int turn) const { return has_work_ || turn % turns_at_rest == 0; }

asio::awaitable<void> Sweeper::sweep() {
    const bool may = co_await may_take_over();
    if (may) co_await settle_stalled_chunks();
    co_await fetch_overdue();
    co_await resume_plans();
    co_await close_jobs();
    co_await parts_.apply_early();
    co_await read_suppressions();
}

/// Whatever a sweep waits for just now: an outage that nobody looked at is none.
asio::awaitable<void> Sweeper::keep_looking() {
    while (!stopping_) {
        std::ignore = co_await look();
        co_await pause_to_beat(settings_.sweep_interval);
    }
}

/// Looks whether the ledger is there, and whether it has work.
asio::awaitable<bool> Sweeper::look() {
    const auto asked = parts_.clock.steady_now();
    const auto there = co_await parts_.store.has_work();
    has_work_ = !there || there.value();
    if (!there) {
        outage_.failed(asked);
        spdlog::warn("{}", describe(there.error()));
        co_return false;
    }
    outage_.answered(asked, parts_.clock.steady_now());
    co_return true;
}

/// Whether the ledger is there, and those who live have had their say.
asio::awaitable<bool> Sweeper::may_take_over() {
    const bool there = co_await look();
    if (!there) co_return false;
    co_return outage_.is_over(parts_.clock.steady_now()) && !parts_.batcher.is_behind() &&
        settling_.running() <= static_cast<std::size_t>(settled_at_once_max);
}

asio::awaitable<void> Sweeper::settle_stalled_chunks() {
    auto stalled = co_await parts_.store.take_over(settled_at_once_max, settings_.lease);
    if (!stalled) {
        spdlog::warn("{}", describe(stalled.error()));
        co_return;
    }
    if (stalled.value().empty()) co_return;
    parts_.probe.taken_over(stalled.value().size());
    spdlog::warn("took over {} chunks whose worker died or stalled", stalled.value().size());
    for (auto& chunk : stalled.value()) {
        settle_stalled(chunk);
        settling_.spawn(record(std::move(chunk)));
    }
}

/// Beside all else, because there may be many.
asio::awaitable<void> Sweeper::end_jobs() {
    for (int turn = 0; !stopping_; ++turn) {
        std::size_t ended = 0;
        if (is_worth_it(turn)) ended = co_await settle_ended_jobs();
        if (ended == 0) co_await pause_to_beat(settings_.sweep_interval);
    }
}

/// Whoever could have sent them: their channel may have no account any more, or their kind be gone.
/// Returns how many chunks.
asio::awaitable<std::size_t> Sweeper::settle_ended_jobs() {
    if (parts_.dispatcher.is_held() || parts_.batcher.is_behind()) co_return 0;
    auto ended = co_await parts_.store.claim_ended(settled_at_once_max, settings_.lease);
    if (!ended) {
        spdlog::warn("{}", describe(ended.error()));
        co_return 0;
    }
    TaskGroup recording{parts_.executor};
    for (auto& chunk : ended.value()) {
        settle_over(chunk);
        recording.spawn(record(std::move(chunk)));
    }
    co_await recording.join();
    co_return ended.value().size();
}

/// Each by itself: one whose row somebody has locked holds up no other.
asio::awaitable<void> Sweeper::record(ledger::ClaimedChunk chunk) {
    auto entry = to_record(chunk, chunk, chunk.account, wait_of_stalled(chunk, settings_));
    entry.taken_over = true;
    entry.failures = entry.done ? 0 : chunk.failures;
    std::string trace;
    if (entry.done) {
        const auto job = co_await parts_.store.job(chunk.key.job);
        if (!job) {
            spdlog::warn("{}; the next lease settles its chunk", describe(job.error()));
            co_return;
        }
        trace = job.value().trace;
        const auto& context = job.value().context;
        entry.counted = counted_window(context.get());
        // No longer configured: there is no channel to turn to.
        if (context) entry.fallback = to_fallback(chunk, chunk, *context, settings_);
    }
    const auto given_up = entry.done ? given_up_in(chunk) : std::string{};
    auto written = co_await parts_.batcher.record(std::move(entry));
    const LogTrace about{trace};
    if (!written) {
        spdlog::warn("{}", describe(written.error()));
    } else if (written.value() && !given_up.empty()) {
        spdlog::warn("chunk {}/{}/{}: {}", chunk.key.job, to_string(chunk.key.channel),
                     chunk.key.number, given_up);
    }
}

/// A worker asks for what it can serve; so nothing goes round that nobody has the room for, and
/// one without partitions has work as well.
asio::awaitable<void> Sweeper::fetch_overdue() {
    auto rooms = parts_.dispatcher.rooms(room_max);
    std::erase_if(rooms, [this](const auto& room) { return !parts_.serves(room.channel); });
    if (rooms.empty()) co_return;
    auto overdue = co_await parts_.store.take_overdue(rooms, settings_.republish_after);
    if (!overdue) {
        spdlog::warn("{}", describe(overdue.error()));
        co_return;
    }
    for (auto& chunk : overdue.value()) {
        Descriptor descriptor{std::move(chunk.key), std::nullopt};
        // Full meanwhile: it is overdue again later.
        std::ignore = parts_.dispatcher.push(chunk.lane, std::move(descriptor));
    }
    if (!overdue.value().empty()) parts_.probe.fetched(overdue.value().size());
}

asio::awaitable<void> Sweeper::resume_plans() {
    auto jobs = co_await parts_.store.unplanned(plans_per_sweep_max);
    if (!jobs) co_return;
    for (const auto& [job, lane] : jobs.value()) parts_.plan(job, lane);
}

asio::awaitable<void> Sweeper::close_jobs() {
    auto closed = co_await parts_.store.close_jobs();
    if (!closed) {
        spdlog::warn("{}", describe(closed.error()));
        co_return;
    }
    for (const auto& one : closed.value()) tell_ended(one, parts_.probe);
}

/// Of programs of the version before, which run beside this one.
asio::awaitable<void> Sweeper::read_suppressions() {
    auto read = co_await parts_.store.read_suppressions(suppressions_per_sweep_max);
    if (!read) spdlog::warn("{}", describe(read.error()));
}

}  // namespace fanfare
