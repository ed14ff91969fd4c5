#pragma once

#include "core/settings/settings.hpp"
#include "worker/sweep/opt_out_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <utility>

namespace fanfare {

/// Looks up the addresses of who unsubscribed, where nobody has yet: by a receipt, while their
/// system's database was away, or with an older program.
///
/// Bounds    50 people a round, one statement at a time; what fails is due again later, ever less
///           often, at most every hour.
/// Stop      stop(), then await run().
/// Threads   one serial executor.
/// Lifetime  what it is given outlives run().
class OptOuts {
public:
    /// `is_worth_it`: whether there may be any, asked before each round with its number.
    OptOuts(OptOutStore& store, AddressBooks& books, const WorkerSettings& settings,
            std::function<bool(int turn)> is_worth_it)
        : store_{store}, books_{books}, settings_{settings}, is_worth_it_{std::move(is_worth_it)} {}

    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

private:
    [[nodiscard]] boost::asio::awaitable<void> round();

    OptOutStore& store_;
    AddressBooks& books_;
    const WorkerSettings& settings_;
    std::function<bool(int turn)> is_worth_it_;
    bool stopping_ = false;
};

}  // namespace fanfare
