#pragma once

#include "core/clock/clock.hpp"

#include <chrono>
#include <cstdint>

namespace fanfare {

/// Stops using an account that keeps failing, and tries it again with one request at a time.
///
///   closed     everything goes; opens after `in_a_row` bad answers, or when `share` of at least
///              `answers_min` answers of a window were bad
///   open       nothing goes, for a time that doubles with every failed probe
///   half open  one request; good: closed, bad: open again
///
/// Bad is what says nothing of the message: 5xx, no connection, no answer. Refusals and
/// throttling are answers of a provider in good health.
///
/// Threads   one serial executor.
class Breaker {
public:
    enum class State : std::uint8_t { closed, half_open, open };
    struct Options {
        std::uint32_t in_a_row = 10;
        std::uint32_t answers_min = 50;
        double share = 0.5;
        std::chrono::milliseconds window{10'000};
        std::chrono::milliseconds open_first{2'000};
        std::chrono::milliseconds open_max{60'000};
    };
    Breaker() : Breaker{Options{}} {}
    explicit Breaker(const Options& options) : options_{options} {}

    [[nodiscard]] State state(Moment now) const noexcept;
    /// True when a request may begin now; then begin() must follow, and answered() after it.
    [[nodiscard]] bool lets_through(Moment now) const noexcept;
    void begin(Moment now);
    void answered(bool good, Moment now);
    /// How long nothing goes; 0 unless open.
    [[nodiscard]] std::chrono::milliseconds open_for(Moment now) const noexcept;

private:
    void open(Moment now);
    void count(bool good, Moment now);

    Options options_;
    bool closed_ = true;
    bool probing_ = false;
    Moment open_until_{};
    std::chrono::milliseconds open_time_{0};
    Moment window_began_{};
    std::uint32_t answers_ = 0;
    std::uint32_t bad_ = 0;
    std::uint32_t bad_in_a_row_ = 0;
};

}  // namespace fanfare
