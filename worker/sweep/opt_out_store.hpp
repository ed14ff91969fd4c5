#pragma once

#include "core/ledger/opt_outs.hpp"
#include "core/postgres/pool.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// Who unsubscribed, and whose addresses nobody has looked up yet.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class OptOutStore {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;

    virtual ~OptOutStore() = default;
    /// As ledger::take_unread_opt_outs().
    [[nodiscard]] virtual Answer<std::vector<ledger::LeftList>> take(int limit) = 0;
    /// As ledger::keep_addresses().
    [[nodiscard]] virtual Answer<void> keep(std::span<const ledger::LeftWith> found) = 0;
};

/// The systems' address books.
///
/// Threads and lifetime as above.
class AddressBooks {
public:
    virtual ~AddressBooks() = default;
    [[nodiscard]] virtual bool knows(const std::string& system) const = 0;
    /// The addresses of these people of one system, of those for whom they could be looked up:
    /// somebody whose lookup fails keeps nobody else's back. Fails where its database is away.
    [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<ledger::LeftWith>>> look_up(
        const std::string& system, std::span<const ledger::LeftList> people) = 0;
};

/// The ledger's.
///
/// Lifetime  the pool outlives it.
class LedgerOptOutStore final : public OptOutStore {
public:
    explicit LedgerOptOutStore(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] Answer<std::vector<ledger::LeftList>> take(int limit) override;
    [[nodiscard]] Answer<void> keep(std::span<const ledger::LeftWith> found) override;

private:
    postgres::Pool& ledger_;
};

/// In their databases.
///
/// Bounds    failures_max lookups fail before the others wait for another time: each may take as
///           long as a query may.
/// Lifetime  the contexts outlive it.
class DatabaseAddressBooks final : public AddressBooks {
public:
    static constexpr int failures_max = 3;

    explicit DatabaseAddressBooks(JobContexts& job_contexts) : job_contexts_{job_contexts} {}
    [[nodiscard]] bool knows(const std::string& system) const override;
    [[nodiscard]] boost::asio::awaitable<Result<std::vector<ledger::LeftWith>>> look_up(
        const std::string& system, std::span<const ledger::LeftList> people) override;

private:
    JobContexts& job_contexts_;
};

}  // namespace fanfare
