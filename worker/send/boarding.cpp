#include "worker/send/boarding.hpp"

#include "core/clock/timer.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<std::size_t> Boarding::board(Wish wish) {
    Waiter waiter{wish, Signal{parts_.executor}};
    const auto is_later = [&wish](const Waiter* other) {
        if (wish.urgent != other->wish.urgent) return wish.urgent;
        return wish.arrival < other->wish.arrival;
    };
    queue_.insert(std::find_if(queue_.begin(), queue_.end(), is_later), &waiter);
    // Those who were called with this one share its wave.
    if (!wish.urgent) co_await asio::post(parts_.executor, asio::use_awaitable);
    look_again();
    while (!waiter.answered) {
        const auto look_in = std::exchange(waiter.look_in, {});
        if (look_in.count() == 0) {
            co_await waiter.called.wait();
            continue;
        }
        co_await pause_for(look_in);
        is_awaited_ = false;
        look_again();
    }
    co_return waiter.granted;
}

void Boarding::settled() {
    if (--turns_ == 0) wave_took_ = parts_.clock.steady_now() - wave_began_;
    look_again();
}

void Boarding::give_back() {
    parts_.permits.give_back();
    look_again();
}

asio::awaitable<bool> Boarding::depart(bool urgent) {
    Departure mine{Signal{parts_.executor}, urgent};
    const auto is_later = [urgent](const Departure* other) { return urgent && !other->urgent; };
    departures_.insert(std::find_if(departures_.begin(), departures_.end(), is_later), &mine);
    let_depart(parts_.is_shut());
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

void Boarding::take_back() {
    parts_.permits.take_back();
    look_again();
}

void Boarding::answer(Waiter& waiter, std::size_t granted) {
    waiter.answered = true;
    if (waiter.look_in.count() > 0) is_awaited_ = false;  // Before it could wait.
    waiter.granted = granted;
    parts_.permits.take(granted);
    if (turns_++ == 0) wave_began_ = parts_.clock.steady_now();
    free_since_.reset();
    waiter.called.notify();
}

/// How long the permits that are free wait for others; 0: they go now.
SteadyTime::duration Boarding::wait_for_others(SteadyTime now) {
    const auto free = parts_.permits.free(parts_.breaker.is_proven(now));
    if (queue_.empty() || free == 0 || queue_.front()->wish.urgent) return {};
    std::size_t wished = 0;
    for (const auto* const waiter : queue_) wished += waiter->wish.requests;
    if (free >= std::min(wished, parts_.permits.limit())) return {};
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
        queue_.front()->look_in = wait;
        queue_.front()->called.notify();
        return;
    }
    // All who share this wave are called before the first of them runs.
    const bool alone = !parts_.breaker.is_proven(now);
    while (!queue_.empty() && parts_.permits.free(!alone) > 0) {
        Waiter& waiter = *queue_.front();
        queue_.pop_front();
        answer(waiter, std::min(waiter.wish.requests, parts_.permits.free(!alone)));
        if (alone) break;
    }
}

}  // namespace fanfare
