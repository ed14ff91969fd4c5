#pragma once

#include "core/async/grouped.hpp"
#include "core/ledger/jobs.hpp"
#include "core/ledger/own_templates.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// The ledger as the intake uses it. A failure that is retryable may have happened all the same:
/// each can be asked again.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class IntakeStore {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;

    virtual ~IntakeStore() = default;
    /// As ledger::take_job(); a job that is known by another id can be asked for by its own as
    /// well.
    [[nodiscard]] virtual Answer<ledger::TakenJob> take(const ledger::NewJob& order) = 0;
    /// As ledger::is_taken().
    [[nodiscard]] virtual Answer<bool> is_taken(const ledger::NewJob& order) = 0;
    /// As ledger::refuse_job(): whoever published it learns why, and publishes it no more.
    [[nodiscard]] virtual Answer<void> refuse(const std::string& id,
                                              const Rejection& rejection) = 0;
    /// The texts of the job's owner that count now.
    [[nodiscard]] virtual Answer<std::optional<ledger::OwnTemplates>> own_templates(
        const Job& job) = 0;
};

/// The ledger's. Orders that come while others are being stored are stored together.
///
/// Bounds    together_max orders a statement.
/// Lifetime  the pool outlives it.
class LedgerIntakeStore final : public IntakeStore {
public:
    static constexpr std::size_t together_max = 64;
    explicit LedgerIntakeStore(postgres::Pool& ledger)
        : ledger_{ledger},
          taking_{[this](Orders orders) { return take_all(orders); }, together_max} {}
    [[nodiscard]] Answer<ledger::TakenJob> take(const ledger::NewJob& order) override;
    [[nodiscard]] Answer<bool> is_taken(const ledger::NewJob& order) override;
    [[nodiscard]] Answer<void> refuse(const std::string& id, const Rejection& rejection) override;
    [[nodiscard]] Answer<std::optional<ledger::OwnTemplates>> own_templates(
        const Job& job) override;

private:
    using Order = const ledger::NewJob*;
    using Orders = std::span<const Order>;
    using Taken = Result<ledger::TakenJob>;
    [[nodiscard]] boost::asio::awaitable<std::vector<Taken>> take_all(Orders orders);

    postgres::Pool& ledger_;
    Grouped<Order, Taken> taking_;
};

}  // namespace fanfare
