#include "worker/plan/planner.hpp"

#include "core/wire/descriptor.hpp"
#include "worker/plan/audience.hpp"
#include "worker/send/letters.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::int32_t attempts_max = 5;
constexpr std::chrono::milliseconds retry_wait{5'000};
constexpr std::chrono::milliseconds held_wait{100};

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

void Planner::plan(const std::string& id) {
    const auto claim = [&](postgres::Connection& connection) {
        return ledger::claim_plan(connection, id, settings_.lease);
    };
    auto claimed = parts_.ledger.call("claim a plan", claim);
    if (!claimed) {
        spdlog::warn("job {}: {}; the sweeper brings it back", id, describe(claimed.error()));
        return;
    }
    if (!claimed.value()) return;  // Planned, or somebody else plans it.
    auto& task = *claimed.value();
    const auto understand = [&](postgres::Connection& connection) {
        return parts_.sources.understand(connection, task.body, task.own_templates);
    };
    const auto understood = parts_.ledger.call("understand a job", understand);
    if (!understood) return note_failure(task, understood.error());
    const auto& job = understood.value();
    if (!job) return note_failure(task, job.error());
    if (auto checked = check_templates(*job.value()); !checked) {
        return note_failure(task, checked.error());
    }
    const auto clear = clear_the_way(*job.value(), task);
    if (!clear) return note_failure(task, clear.error());
    if (!clear.value()) return;
    if (auto streamed = stream(*job.value(), task); !streamed) {
        return note_failure(task, streamed.error());
    }
    if (parts_.stopping) return;
    spdlog::info("job {} ({}): planned email {} sms {} push {}", id, job.value()->job.kind,
                 task.planned[0], task.planned[1], task.planned[2]);
    parts_.probe.job("planned");
}

Result<void> Planner::check_templates(const JobContext& job) {
    // What personal variables there are is known from the columns of the contact query.
    auto used = job.job.channels;
    for (const auto channel : job.job.channels) {
        if (const auto to = job.kind->fallback[static_cast<std::size_t>(channel)]) {
            used.push_back(*to);
        }
    }
    const auto check = [&](postgres::Connection& source) -> Result<void> {
        for (const auto channel : used) {
            const auto& contact = job.system->contacts[static_cast<std::size_t>(channel)];
            pqxx::nontransaction work{source.raw()};
            const auto columns = work.exec_params(contact->query.sql, "{}");
            std::vector<std::string> shared;
            for (const auto& [name, value] : job.job.data) shared.push_back(name);
            for (const auto& [name, moment] : job.times) {
                if (job.job.data.contains(name + "_zone")) shared.push_back(name + "_there");
                if (name.ends_with("_at"))
                    shared.push_back(name.substr(0, name.size() - 3) + "_in");
            }
            const auto personal = personal_variables(job, channel, columns);
            const auto problems =
                job.templates.check(job.kind->templates, channel, shared, personal);
            if (!problems.empty()) {
                return fail(Errc::template_invalid, "render: " + describe(problems.front()));
            }
            if (auto tried = rehearse(job, channel, personal, parts_.clock.now()); !tried) {
                return tried;
            }
        }
        return {};
    };
    auto checked = job.source->call("check the contact queries", check);
    return checked ? checked.value() : Result<void>{checked.error()};
}

/// Ends what this job takes the place of. False: somebody is being told of it right now, and
/// whether they were is known in a moment; the sweeper comes back to it.
Result<bool> Planner::clear_the_way(const JobContext& job, const ledger::PlanTask& task) {
    if (job.kind->cancels.empty()) return true;
    const auto cancel = [&](postgres::Connection& connection) {
        const auto held = ledger::cancel_earlier(connection, job.job, job.kind->cancels);
        const bool waits = held > 0 && is_told_audience(job);
        if (waits) ledger::postpone_plan(connection, task, held_wait);
        return !waits;
    };
    return parts_.ledger.call("cancel earlier jobs", cancel);
}

Result<void> Planner::stream(const JobContext& job, ledger::PlanTask& task) {
    const auto batch = static_cast<std::size_t>(settings_.plan_batch);
    const auto run = [&](postgres::Connection& source) -> Result<void> {
        AudienceStream audience{source, job, task.cursor};
        std::vector<std::string_view> ids;
        std::vector<ledger::NewChunk> chunks;
        while (!parts_.stopping) {
            audience.next(batch, ids);
            if (ids.empty()) break;
            chunks.clear();
            for (const auto channel : job.job.channels) {
                const auto i = static_cast<std::size_t>(channel);
                cut(ids, channel, sizes_[i],
                    job.kind->on_doubt[i].value_or(settings_.channels[i].on_doubt), task.chunks[i],
                    chunks);
                task.planned[i] += static_cast<std::int64_t>(ids.size());
                parts_.probe.planned(channel, ids.size());
            }
            task.cursor = ids.back();
            auto written = write(job, task, chunks);
            if (!written) return written.error();
            if (!written.value()) return fail(Errc::stopping, "plan: taken over or cancelled");
            publish(job, chunks);
        }
        return {};
    };
    auto& source = is_told_audience(job) ? parts_.ledger : *job.source;
    auto streamed = source.call("read the audience", run);
    if (!streamed) return streamed.error();
    if (!streamed.value()) return streamed.value();
    if (parts_.stopping) return {};
    const auto finish = [&](postgres::Connection& connection) {
        return ledger::finish_plan(connection, task);
    };
    auto finished = parts_.ledger.call("finish a plan", finish);
    if (!finished) return finished.error();
    return {};
}

Result<bool> Planner::write(const JobContext& job, ledger::PlanTask& task,
                            std::vector<ledger::NewChunk>& chunks) {
    const auto write_all = [&](postgres::Connection& connection) {
        return ledger::write_plan(connection, task, job.job.lane, chunks, settings_.lease,
                                  settings_.republish_after);
    };
    // An in-doubt commit is not repeated here: resuming at the cursor tells what was written.
    return parts_.ledger.call("write chunks", write_all);
}

void Planner::publish(const JobContext& job, const std::vector<ledger::NewChunk>& chunks) {
    const auto& topic = parts_.topics.chunks[static_cast<std::size_t>(job.job.lane)];
    for (const auto& chunk : chunks) {
        const auto value = encode_descriptor({job.job.id, chunk.channel, chunk.number});
        const auto key =
            fmt::format("{}/{}/{}", job.job.id, static_cast<int>(chunk.channel), chunk.number);
        auto queued = parts_.producer.publish({topic, key, value, {}}, {});
        if (!queued) {
            // Not a loss: the chunk is in the ledger, and the sweeper publishes it again.
            spdlog::warn("{}", describe(queued.error()));
            return;
        }
    }
}

void Planner::note_failure(const ledger::PlanTask& task, const Failure& failure) {
    if (failure.code == Errc::stopping) return;
    const bool final = !is_retryable(failure.code) && task.attempts >= attempts_max;
    spdlog::error("job {}: {}{}", task.job, describe(failure),
                  final ? "; given up" : "; tried again later");
    parts_.probe.job(final ? "failed" : "plan_retried");
    const auto wait = retry_wait * std::min(task.attempts, 12);
    const auto note = [&](postgres::Connection& connection) {
        ledger::fail_plan(connection, task, sentence_of(failure), final, wait);
    };
    auto noted = parts_.ledger.call("note a failed plan", note);
    if (!noted) spdlog::warn("{}", describe(noted.error()));
}

}  // namespace fanfare
