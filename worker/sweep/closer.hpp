#pragma once

#include "core/async/task_group.hpp"
#include "worker/probes/probes.hpp"
#include "worker/sweep/job_ends.hpp"

#include <boost/asio/awaitable.hpp>

#include <set>
#include <string>

namespace fanfare {

/// A line for the log, and the job's duration for the metrics.
void tell_ended(const ledger::EndedJob& job, WorkerProbe& probe);

/// Closes a job as soon as its last chunk is settled here; the sweeper does it otherwise. One look
/// serves all jobs that were named since the one before.
///
/// Bounds    at_once_max jobs a look.
/// Stop      await join().
/// Threads   one serial executor.
/// Lifetime  store and probe outlive it.
class Closer {
public:
    static constexpr std::size_t at_once_max = 256;

    Closer(const boost::asio::any_io_executor& executor, JobEnds& store, WorkerProbe& probe)
        : store_{store}, probe_{probe}, tasks_{executor} {}

    void close_soon(const std::string& job);
    [[nodiscard]] boost::asio::awaitable<void> join() { return tasks_.join(); }

private:
    [[nodiscard]] boost::asio::awaitable<void> close_all();

    JobEnds& store_;
    WorkerProbe& probe_;
    TaskGroup tasks_;
    std::set<std::string> closing_;  // Of the next look.
    bool is_closing_ = false;
};

}  // namespace fanfare
