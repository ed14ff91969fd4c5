#include "worker/send/breaker.hpp"

#include <algorithm>

namespace fanfare {

Breaker::State Breaker::state(Moment now) const noexcept {
    if (closed_) return State::closed;
    return now < open_until_ ? State::open : State::half_open;
}

bool Breaker::lets_through(Moment now) const noexcept {
    return closed_ || (now >= open_until_ && !probing_);
}

void Breaker::begin(Moment now) {
    if (state(now) == State::half_open) probing_ = true;
}

void Breaker::answered(bool good, Moment now) {
    if (!closed_) {
        if (!probing_) return;  // Begun before it opened: tells nothing new.
        probing_ = false;
        if (!good) {
            open(now);
            return;
        }
        closed_ = true;
        open_time_ = {};
        window_began_ = now;
        answers_ = bad_ = bad_in_a_row_ = 0;
        return;
    }
    count(good, now);
    const bool share_is_bad =
        answers_ >= options_.answers_min && static_cast<double>(bad_) > options_.share * answers_;
    if (bad_in_a_row_ >= options_.in_a_row || share_is_bad) open(now);
}

void Breaker::count(bool good, Moment now) {
    if (now - window_began_ > options_.window) {
        window_began_ = now;
        answers_ = bad_ = 0;
    }
    ++answers_;
    bad_in_a_row_ = good ? 0 : bad_in_a_row_ + 1;
    if (!good) ++bad_;
}

void Breaker::open(Moment now) {
    open_time_ = closed_ ? options_.open_first : std::min(options_.open_max, open_time_ * 2);
    closed_ = false;
    open_until_ = now + open_time_;
}

std::chrono::milliseconds Breaker::open_for(Moment now) const noexcept {
    if (closed_) return std::chrono::milliseconds{0};
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::ceil<std::chrono::milliseconds>(open_until_ - now));
}

}  // namespace fanfare
