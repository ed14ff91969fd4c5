#pragma once

#include "core/ledger/opt_outs.hpp"
#include "core/settings/settings.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <vector>

namespace fanfare {

/// Looks up the addresses of who unsubscribed, where nobody has yet: by a receipt, while their
/// system's database was away, or with an older program.
///
/// Bounds    500 people a round, one statement at a time; what fails is due again later, ever less
///           often, at most every hour.
/// Stop      stop(), then await run().
/// Threads   one serial executor.
class OptOuts {
public:
    OptOuts(JobContexts& job_contexts, postgres::Pool& ledger, const WorkerSettings& settings)
        : job_contexts_{job_contexts}, ledger_{ledger}, settings_{settings} {}

    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

private:
    [[nodiscard]] boost::asio::awaitable<void> round();

    JobContexts& job_contexts_;
    postgres::Pool& ledger_;
    const WorkerSettings& settings_;
    bool stopping_ = false;
};

}  // namespace fanfare
