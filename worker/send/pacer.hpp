#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/ledger/bucket.hpp"
#include "core/postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <string>

namespace fanfare {

/// Keeps one account within its rate, all replicas together: slices of the rate come from
/// the account's bucket in the ledger, and every request takes its slot of a slice.
///
/// ready() comes before the claim, slot() before the request: nothing is claimed that the
/// rate would keep waiting for long, so a crash leaves little in doubt.
///
/// Bounds    claims at most two seconds of the rate ahead of what was sent.
/// Threads   one serial executor.
/// Lifetime  the pool and the clock outlive it.
class Pacer {
public:
    struct Options {
        std::string account;
        double per_second = 0;  // 0: no limit.
    };
    Pacer(const boost::asio::any_io_executor& executor, postgres::Pool& ledger, const Clock& clock,
          Options options);

    /// Waits until `count` recipients may be claimed, and counts them as claimed.
    [[nodiscard]] boost::asio::awaitable<void> ready(std::size_t count);
    /// They were sent, or will not be.
    void release(std::size_t count);

    /// Waits for the slot of a request for `count` recipients (or 1 where the provider counts
    /// requests). False when `latest` comes first: the lease would not last.
    [[nodiscard]] boost::asio::awaitable<bool> slot(std::size_t count, Moment latest);

    /// The provider asked everyone to wait.
    [[nodiscard]] boost::asio::awaitable<void> block(std::chrono::milliseconds wait);

    /// Some replica was asked to wait; nothing begins here before either.
    void hold(std::chrono::microseconds wait);

    /// Wakes the waiters so that they see that the worker stops.
    void stop();

private:
    [[nodiscard]] boost::asio::awaitable<bool> lease_slice(std::size_t count);
    [[nodiscard]] std::chrono::nanoseconds time_of(double tokens) const;
    void drop_late_tokens(Moment now);

    boost::asio::any_io_executor executor_;
    postgres::Pool& ledger_;
    const Clock& clock_;
    Options options_;
    Signal changed_;
    Moment blocked_until_{};
    Moment next_slot_{};      // Of the slice in hand.
    double tokens_left_ = 0;  // Of the slice in hand.
    bool leasing_ = false;
    bool stopping_ = false;
    std::size_t claimed_ = 0;
};

}  // namespace fanfare
