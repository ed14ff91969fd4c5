#pragma once

#include "core/ledger/jobs.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// Ends jobs whose every chunk is settled.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class JobEnds {
public:
    virtual ~JobEnds() = default;
    /// Those of `jobs` that are over, as ledger::finish_jobs().
    [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<ledger::EndedJob>>> close(
        std::span<const std::string> jobs) = 0;
};

/// In the ledger.
///
/// Lifetime  the pool outlives it.
class LedgerJobEnds final : public JobEnds {
public:
    explicit LedgerJobEnds(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] boost::asio::awaitable<Result<std::vector<ledger::EndedJob>>> close(
        std::span<const std::string> jobs) override;

private:
    postgres::Pool& ledger_;
};

}  // namespace fanfare
