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
    closing_.insert(job);
    if (is_closing_) return;
    is_closing_ = true;
    tasks_.spawn(close_all());
}

asio::awaitable<void> Closer::close_all() {
    while (!closing_.empty()) {
        co_await pause_for(std::chrono::milliseconds{20});  // One look for many chunks.
        std::vector<std::string> ids;
        while (!closing_.empty() && ids.size() < at_once_max) {
            ids.push_back(std::move(closing_.extract(closing_.begin()).value()));
        }
        const auto closed = co_await store_.close(ids);
        if (!closed) {
            spdlog::debug("{}", describe(closed.error()));
            continue;  // The sweeper closes them.
        }
        for (const auto& one : closed.value()) tell_ended(one, probe_);
    }
    is_closing_ = false;
}

}  // namespace fanfare
