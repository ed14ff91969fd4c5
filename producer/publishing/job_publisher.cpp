#include "producer/publishing/job_publisher.hpp"

#include "core/domain/trace.hpp"
#include "core/ledger/untaken.hpp"
#include "core/observe/log.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace fanfare {
namespace {

constexpr std::chrono::hours until_rung{1};

}  // namespace

void refuse_too_large(postgres::Connection& ledger, const std::string& job) {
    ledger::refuse_job(ledger, job, "too_large", "the message: the broker takes none of that size");
}

JobPublisher::JobPublisher(Parts parts) : parts_{std::move(parts)}, thread_{[this] { run(); }} {}

JobPublisher::~JobPublisher() {
    waker_.stop();
    thread_.join();
}

Tracer::Root JobPublisher::begin(const OutgoingJob& job) const {
    if (parts_.tracer == nullptr || !job.trace.empty()) {
        return {std::nullopt, std::string{job.trace}};
    }
    auto begun = parts_.tracer->begin("schedule", Span::Kind::producer);
    if (auto& span = begun.span) {
        if (job.since) span->begin = std::min(span->begin, *job.since);
        span->tell("fanfare.job", job.id);
        span->tell("messaging.system", "kafka");
        span->tell("messaging.destination.name", parts_.topic);
    }
    return begun;
}

bool JobPublisher::publish(const OutgoingJob& job, Acknowledged acknowledged) {
    auto begun = begin(job);
    const LogTrace about{begun.trace};
    const auto headers = trace_headers(begun.trace);
    const auto note = [this, id = job.id, trace = begun.trace,
                       span = std::move(begun.span)](const Result<void>& result) {
        const LogTrace about_it{trace};
        if (!result) spdlog::warn("job {}: {}", id, describe(result.error()));
        if (!span) return;
        auto ended = *span;
        ended.failed = !result;
        parts_.tracer->end(std::move(ended));
    };
    const auto told = [this, id = job.id, acknowledged = std::move(acknowledged),
                       note](const Result<void>& result) {
        note(result);
        if (!result && result.error().code == Errc::kafka_too_large) {
            return refuse(id, acknowledged);
        }
        acknowledged(result.has_value());
    };
    const auto queued = parts_.producer.publish({parts_.topic, job.id, job.bytes, headers}, told);
    if (queued) return true;
    const bool is_refused = queued.error().code == Errc::kafka_too_large;
    is_refused ? told(queued) : note(queued);
    return is_refused;
}

/// The broker's own thread does not wait for the ledger.
void JobPublisher::refuse(const std::string& job, Acknowledged acknowledged) {
    {
        const std::lock_guard guard{mutex_};
        refused_.push_back({job, std::move(acknowledged)});
    }
    waker_.notify();
}

void JobPublisher::run() {
    while (!waker_.stopped()) {
        std::vector<Refused> mine;
        {
            const std::lock_guard guard{mutex_};
            std::swap(mine, refused_);
        }
        for (const auto& [job, acknowledged] : mine) {
            auto note = [&id = job](postgres::Connection& ledger) { refuse_too_large(ledger, id); };
            const auto noted = parts_.ledger.call("note a refused job", note);
            if (!noted) spdlog::warn("job {}: {}", job, describe(noted.error()));
            acknowledged(noted.has_value());
        }
        waker_.wait(until_rung);
    }
}

}  // namespace fanfare
