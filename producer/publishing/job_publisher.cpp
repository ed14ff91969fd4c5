#include "producer/publishing/job_publisher.hpp"

#include "core/ledger/untaken.hpp"

#include <spdlog/spdlog.h>

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
    alarm_.stop();
    thread_.join();
}

bool JobPublisher::publish(const std::string& job, std::string_view bytes,
                           Acknowledged acknowledged) {
    const auto told = [this, job, acknowledged](const Result<void>& result) {
        if (!result) spdlog::warn("job {}: {}", job, describe(result.error()));
        if (!result && result.error().code == Errc::kafka_too_large) {
            return refuse(job, acknowledged);
        }
        acknowledged(result.has_value());
    };
    const auto queued = parts_.producer.publish({parts_.topic, job, bytes, {}}, told);
    if (queued) return true;
    const bool is_refused = queued.error().code == Errc::kafka_too_large;
    if (is_refused) {
        told(queued);
    } else {
        spdlog::warn("job {}: {}", job, describe(queued.error()));
    }
    return is_refused;
}

/// The broker's own thread does not wait for the ledger.
void JobPublisher::refuse(const std::string& job, Acknowledged acknowledged) {
    {
        const std::lock_guard guard{mutex_};
        refused_.push_back({job, std::move(acknowledged)});
    }
    alarm_.ring();
}

void JobPublisher::run() {
    while (!alarm_.stopped()) {
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
        alarm_.wait(until_rung);
    }
}

}  // namespace fanfare
