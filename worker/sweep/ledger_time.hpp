#pragma once

#include "core/ledger/clock.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>

namespace fanfare {

/// What time it is in the ledger.
///
/// Threads   one serial executor, on which the answers come as well.
class LedgerTime {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;

    virtual ~LedgerTime() = default;
    /// As ledger::read_clock().
    [[nodiscard]] virtual Answer<ledger::ClockReading> read() = 0;
    /// As ledger::mend_moments().
    [[nodiscard]] virtual Answer<std::size_t> mend(std::chrono::milliseconds lease,
                                                   std::chrono::milliseconds republish_after,
                                                   TimePoint believed) = 0;
};

/// As its database says.
///
/// Lifetime  what it is given outlives it.
class DatabaseLedgerTime final : public LedgerTime {
public:
    /// `own`: the machine's clock.
    DatabaseLedgerTime(postgres::Pool& ledger, const Clock& own) : ledger_{ledger}, own_{own} {}
    [[nodiscard]] Answer<ledger::ClockReading> read() override;
    [[nodiscard]] Answer<std::size_t> mend(std::chrono::milliseconds lease,
                                           std::chrono::milliseconds republish_after,
                                           TimePoint believed) override;

private:
    postgres::Pool& ledger_;
    const Clock& own_;
};

}  // namespace fanfare
