#pragma once

#include "core/ledger/receipts.hpp"
#include "core/postgres/pool.hpp"
#include "core/wire/receipt.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <span>

namespace fanfare {

/// What became of receipts; those that PostgreSQL refuses for what they say are dropped.
struct Heard {
    ledger::ReceiptTally tally;
    std::size_t refused = 0;
};
/// Raises outcomes, suppresses addresses, counts soft bounces. One receipt that is refused holds up
/// no other.
[[nodiscard]] Heard write_receipts(postgres::Connection& ledger,
                                   std::span<const ReceiptBatch> batches, int soft_bounces_max);

/// Where receipts go. Done again after a fault, all of it comes to the same.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class ReceiptStore {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;

    virtual ~ReceiptStore() = default;
    /// As write_receipts().
    [[nodiscard]] virtual Answer<Heard> write(std::span<const ReceiptBatch> batches,
                                              int soft_bounces_max) = 0;
    /// As ledger::apply_early_receipts().
    [[nodiscard]] virtual Answer<ledger::ReceiptTally> apply_early(int limit) = 0;
};

/// The ledger.
///
/// Lifetime  the pool outlives it.
class LedgerReceiptStore final : public ReceiptStore {
public:
    explicit LedgerReceiptStore(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] Answer<Heard> write(std::span<const ReceiptBatch> batches,
                                      int soft_bounces_max) override;
    [[nodiscard]] Answer<ledger::ReceiptTally> apply_early(int limit) override;

private:
    postgres::Pool& ledger_;
};

}  // namespace fanfare
