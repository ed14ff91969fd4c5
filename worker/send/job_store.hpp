#pragma once

#include "core/async/grouped.hpp"
#include "core/postgres/pool.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

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

/// The ledger's, understood by the settings of the systems. Jobs that are asked for while others
/// are being read are read together.
///
/// Bounds    together_max jobs a statement.
/// Lifetime  what it is given outlives it.
class LedgerJobStore final : public JobStore {
public:
    static constexpr std::size_t together_max = 64;
    LedgerJobStore(postgres::Pool& ledger, JobContexts& job_contexts)
        : ledger_{ledger},
          job_contexts_{job_contexts},
          loading_{[this](Jobs jobs) { return load_all(jobs); }, together_max} {}
    [[nodiscard]] boost::asio::awaitable<Result<Context>> load(const std::string& job) override;

private:
    using Jobs = std::span<const std::string>;
    [[nodiscard]] boost::asio::awaitable<std::vector<Result<Context>>> load_all(Jobs jobs);

    postgres::Pool& ledger_;
    JobContexts& job_contexts_;
    Grouped<std::string, Result<Context>> loading_;
};

}  // namespace fanfare
