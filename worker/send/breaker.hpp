#pragma once

#include "core/clock/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfare {

/// Stops using an account that keeps failing, and tries an account that is not proven with small
/// requests: what a provider that has stalled leaves in doubt is counted in people, not in calls.
///
///   unproven   at first, after a bad answer and after a long silence: few people in flight, ten
///              times as many after each good answer
///   closed     proven: everything goes; opens after `in_a_row` bad answers in a row, after fewer
///              of them for many people, or when more than `share` of a window's answers were bad
///   rested     proven, and asked for nobody for a moment: `proven_people` until somebody is
///              answered, so that all permits at once do not find out that it has stalled
///   stalled    as if unproven, from the moment that requests have been under way and nobody has
///              been answered for `patience`, until somebody is: what is begun before the first
///              timeout is bounded too
///   open       nothing goes, for a time that doubles with every failed probe
///   half open  one request for one person; good: unproven, bad: open again
///
/// Bad is what says nothing of the message: 5xx, no connection, no answer. Refusals and
/// throttling are answers of a provider in good health.
///
/// Bounds    `unproven_people` in flight with an account that has not answered well lately,
///           `proven_people` with one that has rested; of one that stalls in the midst of work,
///           what was under way and what begins within the patience.
/// Threads   one serial executor.
class Breaker {
public:
    enum class State : std::uint8_t { closed, half_open, open };
    struct Options {
        std::uint32_t in_a_row = 10;
        std::uint32_t few_in_a_row = 3;      // Enough where they were ...
        std::uint32_t people_in_a_row = 30;  // ... for so many people together.
        std::uint32_t answers_min = 50;
        double share = 0.5;
        std::chrono::milliseconds window{10'000};
        std::chrono::milliseconds open_first{2'000};
        std::chrono::milliseconds open_max{60'000};
        std::size_t unproven_people = 10;
        std::size_t proven_people = 1'000;  // In flight and answered well: no bound any more.
        std::chrono::milliseconds proven_for{60'000};  // Without an answer.
        std::chrono::milliseconds rested_after{1'000};
        std::chrono::milliseconds patience{2'000};  // With a provider that answers nobody; at least
        int patience_of_slowest = 3;  // so many times what the slowest good answer took lately.
    };
    /// Names the span between two openings that a request began in.
    using Era = std::uint32_t;

    Breaker() : Breaker{Options{}} {}
    explicit Breaker(const Options& options)
        : options_{options}, people_max_{options.unproven_people} {}

    [[nodiscard]] State state(SteadyTime now) const noexcept;
    /// For how many people a request may begin now; 0: none may.
    [[nodiscard]] std::size_t room(SteadyTime now) const noexcept;
    /// True when requests of any size may begin, as many as permits allow.
    [[nodiscard]] bool is_proven(SteadyTime now) const noexcept;
    /// A request for so many is under way; answered() or taken_back() must follow.
    [[nodiscard]] Era begin(std::size_t people, SteadyTime now);
    /// It has begun.
    void departed(SteadyTime now);
    /// `took` is 0 where it never began.
    void answered(Era era, bool good, std::size_t people, SteadyTime now,
                  std::chrono::microseconds took = {});
    /// It was not begun after all.
    void taken_back(Era era, std::size_t people);
    /// How long nothing goes; 0 unless open.
    [[nodiscard]] std::chrono::milliseconds open_for(SteadyTime now) const noexcept;
    /// Grows with every request to an account that is not proven: whoever sends them begins with
    /// another person each time, so that one who always fails does not keep the account shut.
    [[nodiscard]] std::uint32_t probes() const noexcept { return probes_; }

private:
    [[nodiscard]] std::size_t people_max(SteadyTime now) const noexcept;
    [[nodiscard]] bool is_stalled(SteadyTime now) const noexcept;
    void open(SteadyTime now);
    void close(SteadyTime now);
    void count(bool good, std::size_t people, SteadyTime now);

    Options options_;
    bool closed_ = true;
    bool probing_ = false;
    Era era_ = 0;
    std::uint32_t probes_ = 0;
    std::size_t people_max_;     // In flight.
    std::size_t in_flight_ = 0;  // People.
    std::size_t under_way_ = 0;  // Requests.
    SteadyTime lived_at_{};      // The last answer, or the first request after all were answered.
    std::chrono::microseconds slowest_{0};  // Good answer; less with each that was faster.
    SteadyTime answered_at_{};              // Well, the last time.
    SteadyTime open_until_{};
    std::chrono::milliseconds open_time_{0};
    SteadyTime window_began_{};
    std::uint32_t answers_ = 0;
    std::uint32_t bad_ = 0;
    std::uint32_t bad_in_a_row_ = 0;
    std::size_t people_in_a_row_ = 0;
};

}  // namespace fanfare
