// How all workers together keep one provider's limit.
//
// A limit of each worker's own divides by a number that changes; a counter in every worker's
// memory lets a fleet that starts send its whole rate at once. So the rate is a row of the
// ledger, the account's bucket, and a worker leases a slice of time from it: 200 ms of the rate,
// which begins when the slice before it, whoever had that, ends. One statement serves hundreds
// of requests.
//
// Within a slice each request has a slot of its own. Three things would break the limit all the
// same:
//
// - Saved slots. A worker that had nothing to send, or stood still, would make up for it in a
//   burst. A slot that is more than a few milliseconds late is dropped, and another one is
//   taken.
// - Two clocks. A slice is counted from when its answer is here, never from when it was asked
//   for. What that pushes beyond the slice's end is the next worker's time, and is let go.
// - Unevenness on the wire. The provider counts by its own seconds: 1 % of the rate stays unused.
//
// The claim comes before the request by some milliseconds, and is made for a whole chunk:
// ready() lets at most two seconds of the rate be claimed ahead of what was sent. The mark in
// the ledger comes between slot and request: reserve() gives the slot early enough for it,
// keep() looks whether the slot is still good when the mark is written.
//
// When a provider says "wait", block() writes that into the bucket, too: no replica asks again
// before, because the provider counts all of us as one. What is marked and has not begun is let go
// then: until it may begin, its job may be over, and only the next mark tells.
#include "worker/send/pacer.hpp"

#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds slice_length{200};
constexpr std::chrono::milliseconds way_max{2'000};
constexpr std::chrono::milliseconds database_retry{500};
constexpr std::chrono::milliseconds late_max{4};   // What a busy loop may make up for.
constexpr std::chrono::seconds use_up_max{1};      // Later slots are not waited for by who stops.
constexpr std::chrono::milliseconds look_up{250};  // How soon who waits for a slot hears of that.
constexpr std::chrono::seconds marked_max{1};      // As ready(): what waits longer is marked anew.

}  // namespace

Pacer::Pacer(const asio::any_io_executor& executor, RateBucket& bucket, const Clock& clock,
             Options options)
    : executor_{executor},
      bucket_{bucket},
      clock_{clock},
      options_{std::move(options)},
      changed_{executor} {
    options_.per_second *= used_share;
}

asio::awaitable<void> Pacer::ready(std::size_t count) {
    while (!stopping_) {
        const auto now = clock_.steady_now();
        if (now < blocked_until_) {
            co_await pause_for(
                std::min<std::chrono::nanoseconds>(blocked_until_ - now, std::chrono::seconds{1}));
            continue;
        }
        const bool fits = options_.per_second <= 0 || claimed_ == 0 ||
                          static_cast<double>(claimed_ + count) <= options_.per_second * 2;
        if (fits) break;
        co_await changed_.wait();
    }
    claimed_ += count;
}

void Pacer::release(std::size_t count) {
    claimed_ -= std::min(count, claimed_);
    if (options_.per_second > 0) changed_.notify();
}

/// Who stops uses up the slice in hand, which nobody else gets, but waits for no slot that is far
/// ahead. Without a limit there is nothing to use up.
bool Pacer::gives_up(SteadyTime slot) const {
    return stopping_ && (options_.per_second <= 0 || slot > clock_.steady_now() + use_up_max);
}

asio::awaitable<std::optional<SteadyTime>> Pacer::take_slot(std::size_t count, SteadyTime latest) {
    while (true) {
        const auto now = clock_.steady_now();
        if (gives_up(next_slot_)) break;
        // Who waits for the provider does so without a claim, or at least without a turn.
        if (now < blocked_until_) break;
        if (options_.per_second <= 0) co_return now;
        drop_late_tokens(now);
        if (tokens_left_ >= static_cast<double>(count)) {
            if (next_slot_ > latest) co_return std::nullopt;
            co_return reserve_now(count, latest);
        }
        if (stopping_ && !leasing_) break;
        if (leasing_) {
            co_await changed_.wait();
            continue;
        }
        const bool leased = co_await lease_slice(count);
        if (!leased) {
            if (clock_.steady_now() + database_retry > latest) co_return std::nullopt;
            co_await pause_for(database_retry);
        }
    }
    co_return std::nullopt;
}

std::optional<SteadyTime> Pacer::reserve_now(std::size_t count, SteadyTime until) {
    const auto now = clock_.steady_now();
    if (now < blocked_until_ || gives_up(next_slot_)) return std::nullopt;
    if (options_.per_second <= 0) return now;
    const auto wanted = static_cast<double>(count);
    if (tokens_left_ < wanted || next_slot_ > until) return std::nullopt;
    const auto mine = next_slot_;
    next_slot_ += time_for(wanted);
    tokens_left_ -= wanted;
    return mine;
}

asio::awaitable<std::optional<SteadyTime>> Pacer::reserve(std::size_t count, SteadyTime latest) {
    while (true) {
        const double rate = options_.per_second;  // It may change meanwhile.
        const auto slot = co_await take_slot(count, latest);
        if (!slot) co_return std::nullopt;
        std::chrono::nanoseconds left = *slot - ahead - clock_.steady_now();
        while (left.count() > 0 && rate == options_.per_second) {
            co_await pause_for(std::min<std::chrono::nanoseconds>(left, look_up));
            const auto now = clock_.steady_now();
            if (now < blocked_until_ || gives_up(*slot)) co_return std::nullopt;
            left = std::min<std::chrono::nanoseconds>(left - look_up, *slot - ahead - now);
        }
        if (rate == options_.per_second) co_return slot;
    }
}

bool Pacer::is_usable(SteadyTime slot) const {
    const auto now = clock_.steady_now();
    if (now < blocked_until_) return false;
    // A loop that stood still would send what it missed all at once.
    return options_.per_second <= 0 || now - slot <= 2 * late_max;
}

std::chrono::milliseconds Pacer::blocked_for(SteadyTime latest) const {
    const bool is_late = options_.per_second > 0 && tokens_left_ > 0 && next_slot_ > latest;
    const auto left =
        (is_late ? std::max(blocked_until_, next_slot_) : blocked_until_) - clock_.steady_now();
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(left),
                    std::chrono::milliseconds{0});
}

asio::awaitable<bool> Pacer::keep(SteadyTime slot, std::size_t count, SteadyTime latest) {
    while (!stopping_ || options_.per_second > 0) {
        const auto now = clock_.steady_now();
        if (slot > now) co_await pause_for(slot - now);
        if (is_usable(slot)) co_return true;
        // What is marked does not wait for the provider, nor for the end of a wait that another
        // replica was asked for: by then its job may be over.
        if (clock_.steady_now() < blocked_until_) co_return false;
        const auto other = co_await take_slot(
            count, std::min<SteadyTime>(latest, clock_.steady_now() + marked_max));
        if (!other) co_return false;
        slot = *other;
    }
    co_return false;
}

asio::awaitable<bool> Pacer::lease_slice(std::size_t count) {
    leasing_ = true;
    const auto asked = clock_.steady_now();
    // With what will be let go below, or a slice would be over before it is here. One slow way to
    // the bucket says nothing: the worker may have stood still.
    const auto way = std::min<std::chrono::nanoseconds>(usual_trip_ * 2, way_max);
    const double wanted =
        std::max(static_cast<double>(count), tokens_in(slice_length)) + tokens_in(way);
    const auto tokens = static_cast<std::uint32_t>(std::ceil(wanted));
    const double rate = options_.per_second;  // It may change meanwhile.
    auto slice = co_await bucket_.lease(options_.account, rate, tokens);
    leasing_ = false;
    changed_.notify();
    if (rate != options_.per_second) co_return true;  // Nobody's any more: asked for anew.
    if (!slice) {
        spdlog::warn("{}", describe(slice.error()));
        co_return false;
    }
    // From the answer on, not from the question: never early, at most a round trip late. What
    // that pushes past the slice's end is somebody else's time, and is let go.
    const auto answered = clock_.steady_now();
    const auto trip = answered - asked;
    usual_trip_ = std::min(trip, last_trip_);
    last_trip_ = trip;
    const auto begins = answered + slice.value().begins_in;
    const double overhang = std::floor(tokens_in(trip));
    const bool follows_on = begins - (next_slot_ + time_for(tokens_left_)) < late_max;
    if (tokens_left_ <= 0 || !follows_on) {
        next_slot_ = begins;
        tokens_left_ = 0;
    }
    tokens_left_ += std::max(0.0, slice.value().tokens - overhang);
    co_return true;
}

std::chrono::nanoseconds Pacer::time_for(double tokens) const {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(tokens / options_.per_second * 1e9)};
}

double Pacer::tokens_in(std::chrono::nanoseconds time) const {
    return std::chrono::duration<double>{time}.count() * options_.per_second;
}

void Pacer::drop_late_tokens(SteadyTime now) {
    // A slot that was not used in its time is gone: saved up, idle time would become a burst.
    const auto late = now - next_slot_;
    if (tokens_left_ <= 0 || late <= late_max) return;
    const double dropped = std::min(tokens_left_, std::floor(tokens_in(late - late_max / 2)));
    next_slot_ += time_for(dropped);
    tokens_left_ -= dropped;
}

void Pacer::hold(std::chrono::microseconds wait) {
    blocked_until_ = std::max(blocked_until_, clock_.steady_now() + wait);
    tokens_left_ = 0;
}

asio::awaitable<void> Pacer::block(std::chrono::milliseconds wait) {
    hold(wait);
    auto done = co_await bucket_.block(options_.account, wait);
    if (!done) spdlog::warn("{}", describe(done.error()));
}

void Pacer::set_rate(double per_second) {
    const double rate = per_second * used_share;
    if (rate == options_.per_second) return;
    options_.per_second = rate;
    tokens_left_ = 0;
    changed_.notify();
}

void Pacer::stop() {
    stopping_ = true;
    changed_.notify();
}

}  // namespace fanfare
