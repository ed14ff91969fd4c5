#include "worker/send/breaker.hpp"

#include <algorithm>
#include <limits>

namespace fanfare {
namespace {

constexpr std::size_t growth = 10;
constexpr int slow_forgotten = 16;  // After so many answers a slow one counts for little.
constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();

}  // namespace

Breaker::State Breaker::state(SteadyTime now) const noexcept {
    if (closed_) return State::closed;
    return now < open_until_ ? State::open : State::half_open;
}

std::size_t Breaker::people_max(SteadyTime now) const noexcept {
    const auto silent = in_flight_ == 0 ? now - answered_at_ : SteadyTime::duration{0};
    if (silent > options_.proven_for) return options_.unproven_people;
    if (silent > options_.rested_after) return std::min(people_max_, options_.proven_people);
    return people_max_;
}

bool Breaker::is_stalled(SteadyTime now) const noexcept {
    const auto patience = std::max<std::chrono::microseconds>(
        options_.patience, options_.patience_of_slowest * slowest_);
    return under_way_ > 0 && now - lived_at_ > patience;
}

std::size_t Breaker::room(SteadyTime now) const noexcept {
    if (!closed_) return now >= open_until_ && !probing_ ? 1 : 0;
    const auto most = is_stalled(now) ? options_.unproven_people : people_max(now);
    if (most == no_bound) return no_bound;
    return most - std::min(most, in_flight_);
}

bool Breaker::is_proven(SteadyTime now) const noexcept { return room(now) == no_bound; }

Breaker::Era Breaker::begin(std::size_t people, SteadyTime now) {
    people_max_ = people_max(now);
    if (state(now) == State::half_open) probing_ = true;
    if (!is_proven(now)) ++probes_;
    in_flight_ += people;
    return era_;
}

void Breaker::taken_back(Era era, std::size_t people) {
    in_flight_ -= std::min(in_flight_, people);
    if (era == era_) probing_ = false;
}

void Breaker::departed(SteadyTime now) {
    if (under_way_ == 0) lived_at_ = now;
    ++under_way_;
}

void Breaker::answered(Era era, bool good, std::size_t people, SteadyTime now,
                       std::chrono::microseconds took) {
    in_flight_ -= std::min(in_flight_, people);
    if (under_way_ > 0) --under_way_;
    lived_at_ = now;
    if (good) slowest_ = std::max(took, slowest_ - slowest_ / slow_forgotten);
    if (era != era_) return;  // Begun before it opened: tells nothing new.
    if (!closed_) {
        if (!probing_) return;
        probing_ = false;
        if (good) {
            close(now);
        } else {
            open(now);
        }
        return;
    }
    count(good, people, now);
    const bool share_is_bad =
        answers_ >= options_.answers_min && static_cast<double>(bad_) > options_.share * answers_;
    const bool many_people =
        bad_in_a_row_ >= options_.few_in_a_row && people_in_a_row_ >= options_.people_in_a_row;
    if (bad_in_a_row_ >= options_.in_a_row || many_people || share_is_bad) open(now);
}

void Breaker::count(bool good, std::size_t people, SteadyTime now) {
    if (now - window_began_ > options_.window) {
        window_began_ = now;
        answers_ = bad_ = 0;
    }
    ++answers_;
    if (good) {
        bad_in_a_row_ = 0;
        people_in_a_row_ = 0;
        answered_at_ = now;
        if (people_max_ != no_bound) {
            people_max_ = people_max_ < options_.proven_people ? people_max_ * growth : no_bound;
        }
        return;
    }
    ++bad_;
    ++bad_in_a_row_;
    people_in_a_row_ += people;
    people_max_ = options_.unproven_people;
}

void Breaker::close(SteadyTime now) {
    closed_ = true;
    open_time_ = {};
    window_began_ = answered_at_ = now;
    answers_ = bad_ = bad_in_a_row_ = 0;
    people_in_a_row_ = 0;
    people_max_ = options_.unproven_people;
}

void Breaker::open(SteadyTime now) {
    open_time_ = closed_ ? options_.open_first : std::min(options_.open_max, open_time_ * 2);
    closed_ = false;
    probing_ = false;
    ++era_;
    open_until_ = now + open_time_;
}

std::chrono::milliseconds Breaker::open_for(SteadyTime now) const noexcept {
    if (closed_) return std::chrono::milliseconds{0};
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::ceil<std::chrono::milliseconds>(open_until_ - now));
}

}  // namespace fanfare
