#pragma once

#include "core/ledger/account_states.hpp"
#include "core/ledger/bucket.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>
#include <string>

namespace fanfare {

/// What all replicas obey, and what each tells of itself.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class FleetStore {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;

    virtual ~FleetStore() = default;
    /// As ledger::read_fleet_state().
    [[nodiscard]] virtual Answer<ledger::FleetState> read() = 0;
    /// As ledger::tell_health().
    [[nodiscard]] virtual Answer<void> tell(const std::string& worker,
                                            std::span<const ledger::AccountHealth> news) = 0;
};

/// The ledger's.
///
/// Lifetime  the pool outlives it.
class LedgerFleetStore final : public FleetStore {
public:
    explicit LedgerFleetStore(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] Answer<ledger::FleetState> read() override;
    [[nodiscard]] Answer<void> tell(const std::string& worker,
                                    std::span<const ledger::AccountHealth> news) override;

private:
    postgres::Pool& ledger_;
};

}  // namespace fanfare
