#pragma once

#include "core/ledger/bucket.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace fanfare {

/// The rate of the accounts, which all replicas share.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class RateBucket {
public:
    virtual ~RateBucket() = default;
    /// The next slice of so many tokens; nobody else gets its time.
    [[nodiscard]] virtual boost::asio::awaitable<Result<ledger::Slice>> lease(
        const std::string& account, double per_second, std::uint32_t tokens) = 0;
    /// No replica sends before. Gives how long that is from now.
    [[nodiscard]] virtual boost::asio::awaitable<Result<std::chrono::microseconds>> block(
        const std::string& account, std::chrono::milliseconds wait) = 0;
};

/// The ledger's.
///
/// Lifetime  the pool outlives it.
class LedgerRateBucket final : public RateBucket {
public:
    explicit LedgerRateBucket(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] boost::asio::awaitable<Result<ledger::Slice>> lease(
        const std::string& account, double per_second, std::uint32_t tokens) override {
        return ledger_.run("lease rate tokens", [=, &account](postgres::Connection& ledger) {
            return ledger::reserve_slice(ledger, account, per_second, tokens);
        });
    }
    [[nodiscard]] boost::asio::awaitable<Result<std::chrono::microseconds>> block(
        const std::string& account, std::chrono::milliseconds wait) override {
        return ledger_.run("block an account", [=, &account](postgres::Connection& ledger) {
            return ledger::block_account(ledger, account, wait);
        });
    }

private:
    postgres::Pool& ledger_;
};

}  // namespace fanfare
