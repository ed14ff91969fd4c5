#include "worker/send/boarding.hpp"

#include "core/clock/timer.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace fanfare {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::minutes look_interval{1};  // Of who waits, where nobody calls.

}  // namespace

asio::awaitable<std::size_t> Boarding::board(Chunk& chunk, Wish wish) {
    Waiter waiter{chunk, wish, Timer{parts_.executor}};
    const auto is_later = [&chunk](const Waiter* other) {
        if (chunk.urgent != other->chunk.urgent) return chunk.urgent;
        return chunk.arrival < other->chunk.arrival;
    };
    queue_.insert(std::find_if(queue_.begin(), queue_.end(), is_later), &waiter);
    // Those who were called with this one share its wave.
    if (!chunk.urgent) co_await asio::post(parts_.executor, asio::use_awaitable);
    look_again();
    while (!waiter.answered) {
        const auto look_in = std::exchange(waiter.look_in, {});
        const bool is_first = look_in.count() > 0;
        const auto left =
            std::min<SteadyTime::duration>(wish.latest - parts_.clock.steady_now(), look_interval);
        const bool is_over = co_await waiter.called.wait(is_first ? look_in : left);
        if (is_first) is_awaited_ = false;
        if (is_over) look_again();
    }
    co_return waiter.granted;
}

void Boarding::settled() {
    if (--turns_ == 0 && is_wave_) wave_took_ = parts_.clock.steady_now() - wave_began_;
    look_again();
}

void Boarding::give_back(Chunk& chunk) {
    --chunk.permits;
    parts_.permits.give_back();
    look_again();
}

asio::awaitable<bool> Boarding::depart(const Chunk& chunk) {
    const bool shut = parts_.is_shut();
    if (departures_.empty() && (shut || parts_.permits.may_begin())) {
        if (!shut) parts_.permits.begin();
        co_return !shut;
    }
    Departure mine{Signal{parts_.executor}, chunk.urgent};
    const auto is_later = [&mine](const Departure* other) { return mine.urgent && !other->urgent; };
    departures_.insert(std::find_if(departures_.begin(), departures_.end(), is_later), &mine);
    let_depart(shut);
    while (!mine.may_begin) co_await mine.called.wait();
    co_return *mine.may_begin;
}

void Boarding::let_depart(bool shut) {
    while (!departures_.empty() && (shut || parts_.permits.may_begin())) {
        Departure& next = *departures_.front();
        departures_.pop_front();
        if (!shut) parts_.permits.begin();
        next.may_begin = !shut;
        next.called.notify();
    }
}

void Boarding::take_back(Chunk& chunk) {
    --chunk.permits;
    parts_.permits.take_back();
    look_again();
}

void Boarding::end(Chunk& chunk) {
    --chunk.permits;
    parts_.permits.end();
}

/// Requests that it may be granted by now, were all permits free.
std::size_t Boarding::wished_by(const Waiter& waiter) const noexcept {
    const auto most = parts_.permits.limit();
    const auto held = waiter.chunk.permits;
    return held < most ? std::min(waiter.wish.requests, most - held) : 0;
}

/// Null where those who wait hold as many permits as one chunk may.
Boarding::Waiter* Boarding::next_in_turn() const noexcept {
    const auto may_have = [this](const Waiter* waiter) { return wished_by(*waiter) > 0; };
    const auto found = std::find_if(queue_.begin(), queue_.end(), may_have);
    return found == queue_.end() ? nullptr : *found;
}

void Boarding::answer(Waiter& waiter, std::size_t granted) {
    waiter.answered = true;
    if (waiter.look_in.count() > 0) is_awaited_ = false;  // Before it could wait.
    waiter.granted = granted;
    waiter.chunk.permits += granted;
    parts_.permits.take(granted);
    if (turns_++ == 0) {
        wave_began_ = parts_.clock.steady_now();
        is_wave_ = false;
    }
    if (granted > 0) is_wave_ = true;
    free_since_.reset();
    waiter.called.cancel();
}

/// How long the permits that are free wait for others; 0: they go now.
SteadyTime::duration Boarding::wait_for_others(SteadyTime now) {
    const auto free = parts_.permits.free(parts_.breaker.is_proven(now));
    const Waiter* const next = next_in_turn();
    if (next == nullptr || free == 0 || next->chunk.urgent) return {};
    std::size_t wished = 0, may_have = 0;
    for (const auto* const waiter : queue_) {
        wished += waiter->wish.requests;
        may_have += wished_by(*waiter);
    }
    if (std::min(free, may_have) >= std::min(wished, parts_.permits.limit())) return {};
    if (!free_since_) free_since_ = now;
    const auto most = std::min<SteadyTime::duration>(wave_took_ / 2, wait_max);
    return std::max(SteadyTime::duration{0}, *free_since_ + most - now);
}

void Boarding::look_again() {
    const auto now = parts_.clock.steady_now();
    const bool shut = parts_.is_shut();
    let_depart(shut);
    std::erase_if(queue_, [&](Waiter* waiter) {
        if (!shut && now < waiter->wish.latest) return false;
        answer(*waiter, 0);
        return true;
    });
    if (turns_ > 0 || parts_.breaker.room(now) == 0) return;
    if (const auto wait = wait_for_others(now); wait.count() > 0) {
        if (std::exchange(is_awaited_, true)) return;
        Waiter& next = *next_in_turn();
        next.look_in = wait;
        next.called.cancel();
        return;
    }
    // All who share this wave are called before the first of them runs.
    const bool alone = !parts_.breaker.is_proven(now);
    while (Waiter* const next = next_in_turn()) {
        // Nobody is marked ahead of an urgent chunk that waits.
        const bool yields = queue_.front()->chunk.urgent && !next->chunk.urgent;
        const auto free = parts_.permits.free(!alone && !yields);
        if (free == 0) break;
        std::erase(queue_, next);
        answer(*next, std::min(wished_by(*next), free));
        if (alone) break;
    }
}

}  // namespace fanfare
