#include "worker/send/boarding.hpp"

#include <algorithm>

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<std::size_t> Boarding::board(Wish wish) {
    Waiter waiter{wish, Signal{parts_.executor}};
    const auto is_later = [&wish](const Waiter* other) {
        if (wish.urgent != other->wish.urgent) return wish.urgent;
        return wish.arrival < other->wish.arrival;
    };
    queue_.insert(std::find_if(queue_.begin(), queue_.end(), is_later), &waiter);
    look_again();
    while (!waiter.answered) co_await waiter.called.wait();
    co_return waiter.granted;
}

void Boarding::settled() {
    --turns_;
    look_again();
}

void Boarding::give_back() {
    parts_.permits.give_back();
    look_again();
}

void Boarding::answer(Waiter& waiter, std::size_t granted) {
    waiter.answered = true;
    waiter.granted = granted;
    parts_.permits.take(granted);
    ++turns_;
    waiter.called.notify();
}

void Boarding::look_again() {
    const auto now = parts_.clock.steady_now();
    const bool shut = parts_.is_shut();
    std::erase_if(queue_, [&](Waiter* waiter) {
        if (!shut && now < waiter->wish.latest) return false;
        answer(*waiter, 0);
        return true;
    });
    if (turns_ > 0 || parts_.breaker.room(now) == 0) return;
    // All who share this wave are called before the first of them runs.
    const bool alone = !parts_.breaker.is_proven(now);
    while (!queue_.empty() && parts_.permits.free() > 0) {
        Waiter& waiter = *queue_.front();
        queue_.pop_front();
        answer(waiter, std::min(waiter.wish.requests, parts_.permits.free()));
        if (alone) break;
    }
}

}  // namespace fanfare
