#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "worker/send/rate_bucket.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace fanfare {

/// Keeps one account within its rate, all replicas together: slices of the rate come from
/// the account's bucket in the ledger, and every request takes its slot of a slice.
///
/// ready() comes before the claim, reserve() before the mark, and the slot is looked at again when
/// the request begins: one that is late is not used, because its time may be somebody else's by
/// then. Nothing is claimed that the rate would keep waiting for long, so a crash leaves little in
/// doubt.
///
/// Bounds    claims at most two seconds of the rate ahead of what was sent.
/// Threads   one serial executor.
/// Lifetime  the bucket and the clock outlive it.
class Pacer {
public:
    struct Options {
        std::string account;
        double per_second = 0;  // 0: no limit.
    };
    Pacer(const boost::asio::any_io_executor& executor, RateBucket& bucket, const Clock& clock,
          Options options);

    /// Waits until `count` recipients may be claimed, and counts them as claimed.
    [[nodiscard]] boost::asio::awaitable<void> ready(std::size_t count);
    /// They were sent, or will not be.
    void release(std::size_t count);

    /// Takes the next slot for a request for `count` recipients (or 1 where the provider counts
    /// requests), and waits until little more than a mark of it can be written before. Nothing
    /// when `latest` comes first: the lease would not last; or the provider asked everyone to wait,
    /// or the worker stops.
    [[nodiscard]] boost::asio::awaitable<std::optional<SteadyTime>> reserve(std::size_t count,
                                                                            SteadyTime latest);
    /// The same without waiting: only a slot that is at hand and not after `until`.
    [[nodiscard]] std::optional<SteadyTime> reserve_now(std::size_t count, SteadyTime until);

    /// Waits for the slot. A slot that is late by then is exchanged for another one; false when
    /// `latest` comes first, when there is none within a second, or the provider has asked everyone
    /// to wait.
    [[nodiscard]] boost::asio::awaitable<bool> keep(SteadyTime slot, std::size_t count,
                                                    SteadyTime latest);

    /// Requests reach the provider a little unevenly: the rest of the rate is for that, so that no
    /// second of the provider's own clock holds more than the limit.
    static constexpr double used_share = 0.99;
    /// How far ahead of its slot a request may be marked.
    static constexpr std::chrono::milliseconds ahead{100};

    /// The provider asked everyone to wait.
    [[nodiscard]] boost::asio::awaitable<void> block(std::chrono::milliseconds wait);

    /// Some replica was asked to wait; nothing begins here before either.
    void hold(std::chrono::microseconds wait);

    /// How long nothing begins from now because of either, or because the next slot comes after
    /// `latest`; 0: it may.
    [[nodiscard]] std::chrono::milliseconds blocked_for(
        SteadyTime latest = SteadyTime::max()) const;

    /// Another rate, for all replicas; 0: no limit. What was leased at the old one is let go.
    void set_rate(double per_second);

    /// Nothing more is leased; waiters wake up to see it. Where there is a limit, slots that are at
    /// hand are still given, up to a second ahead: what is claimed may use up the slice that nobody
    /// else gets. Without one nothing more begins.
    void stop();

private:
    static constexpr std::chrono::milliseconds trip_at_first{50};

    [[nodiscard]] boost::asio::awaitable<std::optional<SteadyTime>> take_slot(std::size_t count,
                                                                              SteadyTime latest);
    [[nodiscard]] boost::asio::awaitable<bool> lease_slice(std::size_t count);
    [[nodiscard]] std::chrono::nanoseconds time_for(double tokens) const;
    [[nodiscard]] double tokens_in(std::chrono::nanoseconds time) const;
    void drop_late_tokens(SteadyTime now);
    [[nodiscard]] bool is_usable(SteadyTime slot) const;
    [[nodiscard]] bool gives_up(SteadyTime slot) const;

    boost::asio::any_io_executor executor_;
    RateBucket& bucket_;
    const Clock& clock_;
    Options options_;
    Signal changed_;
    SteadyTime blocked_until_{};
    SteadyTime next_slot_{};                               // Of the slice in hand.
    double tokens_left_ = 0;                               // Of the slice in hand.
    std::chrono::nanoseconds last_trip_ = trip_at_first;   // To the bucket and back ...
    std::chrono::nanoseconds usual_trip_ = trip_at_first;  // ... and the shorter of the last two.
    bool leasing_ = false;
    bool stopping_ = false;
    std::size_t claimed_ = 0;
};

}  // namespace fanfare
