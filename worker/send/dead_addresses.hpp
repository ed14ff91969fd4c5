#pragma once

#include "core/postgres/pool.hpp"
#include "worker/send/claim.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace fanfare {

/// Tells a system which of its addresses are dead, where it wants to know. Nobody sends to them any
/// more, whether it hears of it or not: they are suppressed in the ledger with the word on those
/// whose they are (ledger::ChunkRecord).
///
/// Threads   one serial executor.
class DeadAddresses {
public:
    virtual ~DeadAddresses() = default;
    /// `addresses` as the system wrote them. What fails is logged.
    [[nodiscard]] virtual boost::asio::awaitable<void> tell(const Claim& claim,
                                                            std::vector<std::string> addresses) = 0;
};

/// In the systems' databases, on the pools' threads.
///
/// Lifetime  what it is given outlives it.
class DatabaseDeadAddresses final : public DeadAddresses {
public:
    explicit DatabaseDeadAddresses(JobContexts& job_contexts) : job_contexts_{job_contexts} {}
    [[nodiscard]] boost::asio::awaitable<void> tell(const Claim& claim,
                                                    std::vector<std::string> addresses) override;

private:
    JobContexts& job_contexts_;
};

}  // namespace fanfare
