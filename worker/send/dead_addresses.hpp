#pragma once

#include "core/postgres/pool.hpp"
#include "worker/send/claim.hpp"
#include "worker/send/pass.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace fanfare {

/// Suppresses addresses that a provider called dead, or whose owners told it to stop, and tells the
/// system which are dead, where it wants to know.
///
/// Threads   one serial executor.
class DeadAddresses {
public:
    virtual ~DeadAddresses() = default;
    /// Those of one pass. What fails is logged; the next pass that meets them tries again.
    [[nodiscard]] virtual boost::asio::awaitable<void> suppress(const Claim& claim, Pass& pass) = 0;
};

/// In the ledger and the systems' databases, on the pools' threads.
///
/// Lifetime  what it is given outlives it.
class DatabaseDeadAddresses final : public DeadAddresses {
public:
    DatabaseDeadAddresses(postgres::Pool& ledger, JobContexts& job_contexts)
        : ledger_{ledger}, job_contexts_{job_contexts} {}
    [[nodiscard]] boost::asio::awaitable<void> suppress(const Claim& claim, Pass& pass) override;

private:
    [[nodiscard]] boost::asio::awaitable<void> write_back(const JobContext& job, Channel channel,
                                                          std::vector<std::string> addresses);

    postgres::Pool& ledger_;
    JobContexts& job_contexts_;
};

}  // namespace fanfare
