// From a job to chunks: the audience is read once, in order, and what was read is written at
// once.
//
// Whoever reads an audience whole holds millions of ids in memory, and after a crash begins
// anew, telling some twice because the audience has changed meanwhile. Here the query is
// streamed through a cursor in order of recipient id; each fetch is cut into chunks for every
// channel and committed together with the id it ended at. So a planner that dies is resumed
// behind that id by whoever sweeps first, memory is one fetch, and each person is in one chunk a
// channel, whatever dies when.
//
// A commit whose answer is lost is not repeated: it may have been written. resume() looks where
// the plan stands in the ledger and goes on from there. The epoch of the plan keeps a planner
// that was taken over from writing; the keeper (keeper.cpp) keeps its lease while a query takes
// long, and ends the query when the plan is not its own any more.
//
// The chunks' names go to Kafka after the commit and not before: a name without a chunk is
// nothing, a chunk without a name is found by the sweeper. Sending begins with the first fetch,
// so an order that can be told to nobody must be known before it: attempt() asks the
// system's database once more what the intake asked, since it may have been away then.
//
// What fails is counted, but by whose fault it is: what the job or its query is to blame for is
// given up after five times, outages after twenty, and a database that cannot be reached counts
// for nothing. A plan that kills its planners is given up by those who never were heard of
// again.
#include "worker/plan/planner.hpp"

#include "core/observe/log.hpp"
#include "worker/plan/audience.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds failed_wait{3'000};  // After the first failure; twice that after the next.
constexpr milliseconds broken_wait{500};    // The same where the database went away meanwhile.
constexpr milliseconds wait_max{60'000};
constexpr milliseconds away_wait{1'000};  // Until a database that is away is asked again ...
constexpr milliseconds away_spread{3'000};
constexpr milliseconds paused_wait{100};
constexpr milliseconds look_first{100};  // ... and the ledger, for which nothing else is done.
constexpr milliseconds look_max{1'000};
constexpr milliseconds early{50};  // A lease may be over a little later than a wait.

bool is_away(Errc code) { return code == Errc::store_unavailable || code == Errc::commit_in_doubt; }

/// Nobody is to blame but the moment: it may go well the next time.
bool is_passing(Errc code) { return is_retryable(code) && code != Errc::store_timeout; }

milliseconds doubled(milliseconds first, std::int32_t times) {
    return times >= 10 ? wait_max : std::min(wait_max, first * (1 << times));
}

/// Cuts `ids` into chunks of one channel and appends them.
void cut(std::span<const std::string_view> ids, Channel channel, std::uint32_t size,
         DoubtPolicy on_doubt, std::int32_t& number, std::vector<ledger::NewChunk>& chunks) {
    while (!ids.empty()) {
        const auto part = ids.first(std::min<std::size_t>(size, ids.size()));
        auto& chunk = chunks.emplace_back();
        chunk.channel = channel;
        if (number == ledger::split_begin) number = ledger::split_end;
        chunk.number = number++;
        chunk.size = static_cast<std::int32_t>(part.size());
        chunk.on_doubt = on_doubt;
        chunk.recipients.reserve(part.size() * (part.front().size() + 4));
        chunk.recipients.push_back('{');
        for (const auto id : part) postgres::append_element(chunk.recipients, id);
        chunk.recipients.push_back('}');
        ids = ids.subspan(part.size());
    }
}

}  // namespace

Planner::Wait Planner::plan(const std::string& id) {
    if (turns_.is_refused(id)) return SourceTurns::come_again;
    auto claimed = parts_.store.claim(id, settings_.lease);
    if (!claimed) {
        spdlog::warn("job {}: {}; it is tried again", id, describe(claimed.error()));
        return look_max;
    }
    if (!claimed.value()) return std::nullopt;  // Planned, or somebody else plans it.
    return plan_claimed(*claimed.value());
}

Planner::Wait Planner::plan_claimed(ledger::PlanTask& task) {
    const auto before = task;  // The task is read anew after a fault.
    const LogTrace about{before.trace};
    auto span = span_in(parts_.tracer, before.trace, "plan", Span::Kind::internal);
    bool failed = false;
    const auto again = carry_out(task, failed);
    end_span(std::move(span), before, task, failed);
    return again;
}

void Planner::end_span(std::optional<Span> span, const ledger::PlanTask& before,
                       const ledger::PlanTask& after, bool failed) const {
    if (!span) return;
    span->tell("fanfare.job", before.job);
    for (const auto channel : channels) {
        const auto i = static_cast<std::size_t>(channel);
        span->count(fmt::format("fanfare.planned.{}", to_string(channel)),
                    after.planned[i] - before.planned[i]);
    }
    span->failed = failed;
    parts_.tracer->end(std::move(*span));
}

Planner::Wait Planner::carry_out(ledger::PlanTask& task, bool& failed) {
    Hold hold{keeper_, task.job, task.epoch};
    Wait again;
    Tried fault;
    if (task.unheard > unheard_max) {
        fault = PlanFault{
            PlanFault::Place::job,
            fail(Errc::job_rejected, fmt::format("plan it: {} workers in a row were not heard of "
                                                 "again after they began",
                                                 unheard_max))};
    } else {
        fault = attempt(task, hold, again);
    }
    while (fault && fault->place == PlanFault::Place::ledger && is_away(fault->failure.code) &&
           resume(task, hold)) {
        fault = attempt(task, hold, again);
    }
    if (hold.is_lost()) return std::nullopt;
    if (parts_.stopping) {
        give_back(task);
        return std::nullopt;
    }
    failed = fault.has_value();
    return fault ? note_failure(task, *fault, hold) : again;
}

Planner::Tried Planner::attempt(ledger::PlanTask& task, Hold& hold, Wait& again) {
    using enum PlanFault::Place;
    const auto understood = parts_.store.understand(task);
    if (!understood) return PlanFault{ledger, understood.error()};
    const auto& [known, unknown] = understood.value();
    if (unknown) return PlanFault{job, *unknown};
    const auto& context = *known;
    auto turn = turns_.begin(task.job, context.source, context.job.lane);
    if (!turn) return come_again(task, again);
    const bool is_known_sound = is_checked(task.job) && !task.own_templates;
    if (!is_known_sound) {
        if (auto fault = parts_.audiences.check(context, parts_.clock.now(), hold)) return fault;
    }
    const auto clear = clear_the_way(context, task);
    if (!clear) return PlanFault{ledger, clear.error()};
    again = clear.value();
    if (again) return std::nullopt;
    if (auto fault = stream(context, task, hold, *turn)) return fault;
    return hold.is_over() ? std::nullopt : finish(context, task);
}

void Planner::was_checked(const std::string& job) {
    const std::lock_guard guard{checked_mutex_};
    if (checked_.size() >= checked_max) checked_.clear();  // They are asked once more.
    checked_[job] = parts_.clock.steady_now();
}

/// Once: whatever is tried again is looked at anew.
bool Planner::is_checked(const std::string& job) {
    const std::lock_guard guard{checked_mutex_};
    const auto found = checked_.extract(job);
    return !found.empty() && parts_.clock.steady_now() - found.mapped() < checked_for;
}

/// Ends what this job takes the place of. After how long to come again, where somebody is being
/// told of it right now: whether they were is known in a moment.
Result<Planner::Wait> Planner::clear_the_way(const JobContext& job, const ledger::PlanTask& task) {
    if (job.kind->cancels.empty()) return Wait{};
    const auto held = parts_.store.cancel_earlier(job);
    if (!held) return held.error();
    if (held.value() == 0 || !is_told_audience(job)) return Wait{};
    const auto postponed = parts_.store.postpone(task, paused_wait);
    if (!postponed) return postponed.error();
    return Wait{paused_wait + early};
}

/// Its system's database answers nobody: others need the thread.
Planner::Tried Planner::come_again(const ledger::PlanTask& task, Wait& again) {
    const ledger::PlanFailure why{.why = "its system's database answers nobody",
                                  .counts = false,
                                  .wait = SourceTurns::come_again};
    const auto ended = parts_.store.note_failure(task, why);
    if (!ended) return PlanFault{PlanFault::Place::ledger, ended.error()};
    if (!ended.value()) again = why.wait + early;
    return std::nullopt;
}

Planner::Tried Planner::stream(const JobContext& job, ledger::PlanTask& task, Hold& hold,
                               SourceTurns::Turn& turn) {
    const auto left_out = task.left_out;
    const auto take = [&](std::span<const std::string_view> ids, std::int64_t more) -> Tried {
        turn.heard();
        task.left_out = left_out + more;
        if (ids.empty()) return {};
        if (auto fault = write(job, task, ids, hold)) return fault;
        const bool is_full = ids.size() == static_cast<std::size_t>(settings_.plan_batch);
        if (is_full && parts_.give_way && !hold.is_over()) parts_.give_way(job.job.lane);
        turn.asks();
        return {};
    };
    const auto cursor = task.cursor;  // It moves on while they are read.
    turn.asks();
    return parts_.audiences.read(job, cursor, static_cast<std::size_t>(settings_.plan_batch), hold,
                                 take);
}

Planner::Tried Planner::write(const JobContext& job, ledger::PlanTask& task,
                              std::span<const std::string_view> ids, Hold& hold) {
    std::vector<ledger::NewChunk> chunks;
    cut_chunks(job, task, ids, chunks);
    // An in-doubt commit is not repeated here: resuming at the cursor tells what was written.
    const auto written =
        parts_.store.write(task, job.job.lane, chunks, settings_.lease, settings_.republish_after);
    if (!written) return PlanFault{PlanFault::Place::ledger, written.error()};
    if (!written.value()) {
        hold.lose();  // Taken over, or cancelled.
        return std::nullopt;
    }
    for (const auto channel : job.job.channels) parts_.probe.planned(channel, ids.size());
    publish(job, chunks);
    return std::nullopt;
}

/// Cuts the next people of the audience into chunks; `task` stands behind them then.
void Planner::cut_chunks(const JobContext& job, ledger::PlanTask& task,
                         std::span<const std::string_view> ids,
                         std::vector<ledger::NewChunk>& chunks) const {
    for (const auto channel : job.job.channels) {
        const auto i = static_cast<std::size_t>(channel);
        cut(ids, channel, sizes_[i], job.kind->on_doubt[i].value_or(settings_.channels[i].on_doubt),
            task.chunks[i], chunks);
        task.planned[i] += static_cast<std::int64_t>(ids.size());
    }
    task.cursor = ids.back();
}

Planner::Tried Planner::finish(const JobContext& job, const ledger::PlanTask& task) {
    const auto finished = parts_.store.finish(task);
    if (!finished) return PlanFault{PlanFault::Place::ledger, finished.error()};
    if (finished.value()) tell_planned(job, task);
    return std::nullopt;
}

void Planner::tell_planned(const JobContext& job, const ledger::PlanTask& task) {
    spdlog::info("job {} ({}): planned email {} sms {} push {}", task.job, job.job.kind,
                 task.planned[0], task.planned[1], task.planned[2]);
    if (task.left_out > 0) {
        spdlog::warn(
            "job {}: {} recipient ids of its audience have more than {} bytes; they are "
            "left out",
            task.job, task.left_out, Job::id_bytes_max);
        parts_.probe.left_out(static_cast<std::size_t>(task.left_out));
    }
    parts_.probe.job("planned");
}

void Planner::publish(const JobContext& job, std::span<const ledger::NewChunk> chunks) {
    for (const auto& chunk : chunks) {
        const auto queued =
            parts_.descriptors.publish(job.job.lane, {job.job.id, chunk.channel, chunk.number});
        if (!queued) {
            // Not a loss: the chunk is in the ledger, and the sweeper publishes it again.
            spdlog::warn("{}", describe(queued.error()));
            return;
        }
    }
}

/// Waits for the ledger and looks where the plan stands. False: it is over, or not ours any more.
bool Planner::resume(ledger::PlanTask& task, Hold& hold) {
    auto wait = look_first;
    while (!hold.is_over()) {
        parts_.pause(wait);
        auto found = parts_.store.look_again(task, settings_.lease);
        if (found && found.value()) {
            task = std::move(*found.value());
            return true;
        }
        if (found) hold.lose();
        wait = std::min(wait * 2, look_max);
    }
    return false;
}

Planner::Wait Planner::note_failure(const ledger::PlanTask& task, const PlanFault& fault,
                                    Hold& hold) {
    using enum PlanFault::Place;
    const auto& failure = fault.failure;
    const bool passing = fault.place != job && is_passing(failure.code);
    ledger::PlanFailure noted{.why = to_sentence(failure)};
    // Of a database that cannot even be reached nothing is to be learnt by counting.
    noted.counts = !(passing && fault.place == source);
    const auto failures = task.failures + 1;
    noted.final = task.unheard > unheard_max ||
                  (noted.counts && failures >= (passing ? outages_max : failures_max));
    const auto spread = 0.5 + parts_.jitter() / 2;
    auto wait = noted.counts ? doubled(passing ? broken_wait : failed_wait, task.failures)
                             : away_wait + away_spread;
    noted.wait = std::chrono::ceil<milliseconds>(wait * spread);
    spdlog::error("job {}: {}{}", task.job, describe(failure),
                  noted.final ? "; given up" : "; tried again later");
    const bool ended = note(task, noted, hold);
    parts_.probe.job(ended ? "failed" : "plan_retried");
    if (ended || hold.is_over()) return std::nullopt;
    return noted.wait + early;
}

/// Writes it down as soon as the ledger can be reached. True when the plan was given up.
bool Planner::note(const ledger::PlanTask& task, const ledger::PlanFailure& failure, Hold& hold) {
    auto wait = look_first;
    auto noted = parts_.store.note_failure(task, failure);
    while (!noted && is_retryable(noted.error().code) && !hold.is_over()) {
        parts_.pause(wait);
        wait = std::min(wait * 2, look_max);
        noted = parts_.store.note_failure(task, failure);
    }
    if (!noted) spdlog::warn("{}; the plan's lease settles it", describe(noted.error()));
    return noted && noted.value();
}

/// For whoever is there to go on at once.
void Planner::give_back(const ledger::PlanTask& task) {
    const auto given = parts_.store.postpone(task, milliseconds{0});
    if (!given) spdlog::info("{}; the plan's lease settles it", describe(given.error()));
}

}  // namespace fanfare
