#include "worker/sweep/closer.hpp"

#include "core/clock/clock.hpp"
#include "core/clock/timer.hpp"
#include "core/observe/log.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {

namespace asio = boost::asio;

void tell_ended(const ledger::EndedJob& job, WorkerProbe& probe) {
    const LogTrace about{job.trace};
    spdlog::info("job {} ({} of {}) is {} after {:.1f} s: {}", job.id, job.kind, job.system,
                 job.state, job.seconds, ledger::describe(job.outcomes));
    probe.ended(job.state, job.seconds);
}

void Closer::close_soon(const std::string& job) {
    if (closing_.insert(job).second) tasks_.spawn(close(job));
}

asio::awaitable<void> Closer::close(std::string job) {
    co_await pause_for(std::chrono::milliseconds{20});  // One look for many chunks.
    closing_.erase(job);
    std::vector<std::string> ids{std::move(job)};
    auto closed = co_await ledger_.run("close a job", [&ids](postgres::Connection& ledger) {
        return ledger::finish_jobs(ledger, ids);
    });
    if (!closed) {
        spdlog::debug("{}", describe(closed.error()));
        co_return;
    }
    for (const auto& one : closed.value()) tell_ended(one, probe_);
}

}  // namespace fanfare
