#include "worker/intake/intake.hpp"

#include "core/async/task_group.hpp"
#include "core/ledger/jobs.hpp"
#include "core/wire/cloud_event.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t dead_value_bytes_max = 64 * 1024;
constexpr std::chrono::milliseconds retry_first{100};
constexpr std::chrono::milliseconds retry_max{5'000};

}  // namespace

std::optional<Rejection> Intake::check(Job& job) const {
    if (auto rejection = resolve_job(job, parts_.sources.systems())) return rejection;
    const auto& system = parts_.sources.systems().find(job.system)->second;
    const auto& kind = *system.find_kind(job.kind);
    const auto& folder = kind.templates;
    auto used = job.channels;
    for (const auto channel : job.channels) {
        if (const auto to = kind.fallback[static_cast<std::size_t>(channel)]) used.push_back(*to);
    }
    for (const auto channel : used) {
        if (parts_.templates.has(folder, channel)) continue;
        return Rejection{"unknown_template",
                         fmt::format("/channels: the kind {} has no {} templates (templates/{}/); "
                                     "add them or leave the channel out",
                                     job.kind, to_string(channel), folder),
                         "/channels",
                         {}};
    }
    return std::nullopt;
}

asio::awaitable<void> Intake::take(kafka::Received record) {
    auto decoded = is_cloud_event(record.headers) ? decode_event(record.headers, record.value)
                                                  : decode_job(record.value);
    std::optional<Rejection> rejection;
    if (auto* const bad = std::get_if<Rejection>(&decoded)) {
        rejection = std::move(*bad);
    } else {
        // A life time counts from publishing on: read again later, it ends no later.
        const std::chrono::milliseconds published{record.timestamp_ms};
        settle_expiry(std::get<Job>(decoded),
                      record.timestamp_ms > 0 ? TimePoint{published} : parts_.clock.now());
        rejection = check(std::get<Job>(decoded));
    }
    auto wait = retry_first;
    while (!stopping_) {
        bool settled = false;
        if (rejection) {
            settled = co_await refuse(record, *rejection);
        } else {
            settled = co_await accept(std::get<Job>(decoded));
        }
        if (settled) {
            parts_.finished(record);
            break;
        }
        co_await pause_for(wait);
        wait = std::min(wait * 2, retry_max);
    }
}

asio::awaitable<bool> Intake::accept(const Job& job) {
    const auto& system = parts_.sources.systems().find(job.system)->second;
    const auto& list = system.find_kind(job.kind)->list;
    auto inserted = co_await parts_.ledger.run("insert a job", [&](postgres::Connection& ledger) {
        return ledger::insert_job(ledger, job, encode_job(job), list,
                                  system.done.contains(job.kind));
    });
    if (!inserted) {
        troubled_.warn(fmt::format("job {}: {}", job.id, describe(inserted.error())));
        co_return false;
    }
    parts_.probe.job(inserted.value() ? "accepted" : "repeated");
    // A repeated one may stem from a worker that died between inserting and planning.
    parts_.accepted(job.id, job.lane);
    co_return true;
}

asio::awaitable<bool> Intake::refuse(const kafka::Received& record, const Rejection& rejection) {
    refused_.warn(fmt::format("refused a job of partition {} offset {}: {}", record.partition,
                              record.offset, for_log(rejection)));
    const bool cut = record.value.size() > dead_value_bytes_max;
    auto home = co_await asio::this_coro::executor;
    Signal told{home};
    std::optional<bool> published;
    // The callback comes on the producer's thread; what it touches lives in this frame until
    // it has come.
    auto queued =
        parts_.producer.publish({parts_.topics.dead,
                                 record.key,
                                 std::string_view{record.value}.substr(0, dead_value_bytes_max),
                                 {{"fanfare-reason", rejection.code},
                                  {"fanfare-message", rejection.message},
                                  {"fanfare-topic", parts_.topics.jobs},
                                  {"fanfare-partition", std::to_string(record.partition)},
                                  {"fanfare-offset", std::to_string(record.offset)},
                                  {"fanfare-bytes", std::to_string(record.value.size())},
                                  {"fanfare-truncated", cut ? "true" : "false"}}},
                                [&, home](const Result<void>& result) {
                                    const bool done = result.has_value();
                                    asio::post(home, [&published, &told, done] {
                                        published = done;
                                        told.notify();
                                    });
                                });
    if (!queued) co_return false;
    while (!published) co_await told.wait();
    if (*published) {
        parts_.probe.job("rejected");
        parts_.probe.dead_letter(rejection.code);
    }
    co_return *published;
}

}  // namespace fanfare
