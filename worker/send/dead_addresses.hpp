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
/// Threads   one serial executor; databases on the pools' threads.
/// Lifetime  what it is given outlives it.
class DeadAddresses {
public:
    DeadAddresses(postgres::Pool& ledger, JobContexts& job_contexts)
        : ledger_{ledger}, job_contexts_{job_contexts} {}

    /// Those of one pass. What fails is logged; the next pass that meets them tries again.
    [[nodiscard]] boost::asio::awaitable<void> suppress(const Claim& claim, Pass& pass);

private:
    [[nodiscard]] boost::asio::awaitable<void> write_back(const JobContext& job, Channel channel,
                                                          std::vector<std::string> addresses);

    postgres::Pool& ledger_;
    JobContexts& job_contexts_;
};

}  // namespace fanfare
