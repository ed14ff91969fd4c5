#pragma once

#include "core/postgres/pool.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace fanfare {

/// Where the send stage learns what a job says.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class JobStore {
public:
    using Context = std::shared_ptr<const JobContext>;

    virtual ~JobStore() = default;
    /// Fails where the ledger is away or does not know the job, and where its system or kind is not
    /// configured.
    [[nodiscard]] virtual boost::asio::awaitable<Result<Context>> load(const std::string& job) = 0;
};

/// The ledger's, understood by the settings of the systems.
///
/// Lifetime  what it is given outlives it.
class LedgerJobStore final : public JobStore {
public:
    LedgerJobStore(postgres::Pool& ledger, JobContexts& job_contexts)
        : ledger_{ledger}, job_contexts_{job_contexts} {}
    [[nodiscard]] boost::asio::awaitable<Result<Context>> load(const std::string& job) override;

private:
    postgres::Pool& ledger_;
    JobContexts& job_contexts_;
};

}  // namespace fanfare
