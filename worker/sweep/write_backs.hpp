#pragma once

#include "core/ledger/write_backs.hpp"
#include "core/settings/settings.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace fanfare {

/// Tells the systems that want to know which of their jobs are done (write_backs.done).
///
/// At least once: a worker that dies in between leaves the job to whoever comes next. Sending waits
/// for none of this; what fails is tried again, ever less often, at most every hour.
///
/// Bounds    100 jobs a round, one statement at a time.
/// Stop      stop(), then await run().
/// Threads   one serial executor.
class WriteBacks {
public:
    WriteBacks(JobContexts& job_contexts, postgres::Pool& ledger, const WorkerSettings& settings)
        : job_contexts_{job_contexts}, ledger_{ledger}, settings_{settings} {}

    /// Returns at once where no system wants to know.
    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

private:
    [[nodiscard]] boost::asio::awaitable<void> round();
    [[nodiscard]] boost::asio::awaitable<Result<void>> tell(const ledger::DoneJob& done);
    [[nodiscard]] boost::asio::awaitable<void> note(std::vector<std::string> told,
                                                    std::vector<std::string> untold);

    JobContexts& job_contexts_;
    postgres::Pool& ledger_;
    const WorkerSettings& settings_;
    bool stopping_ = false;
};

}  // namespace fanfare
