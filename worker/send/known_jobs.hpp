#pragma once

#include "core/error/failure.hpp"
#include "core/postgres/pool.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace fanfare {

/// The jobs whose chunks were sent lately: a job of a thousand chunks is read once.
///
/// Bounds    256 jobs, 8 MiB of job and owners' texts; beyond either all are read again.
/// Threads   one serial executor.
/// Lifetime  what it is given outlives it.
class KnownJobs {
public:
    KnownJobs(postgres::Pool& ledger, JobContexts& job_contexts)
        : ledger_{ledger}, job_contexts_{job_contexts} {}

    /// Fails where the ledger is away or does not know the job, and where its system or kind is not
    /// configured.
    [[nodiscard]] boost::asio::awaitable<Result<std::shared_ptr<const JobContext>>> find(
        const std::string& job);

private:
    postgres::Pool& ledger_;
    JobContexts& job_contexts_;
    std::unordered_map<std::string, std::shared_ptr<const JobContext>> contexts_;
    std::size_t bytes_ = 0;
};

}  // namespace fanfare
