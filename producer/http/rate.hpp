#pragma once

#include "core/clock/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace fanfare {

/// So many a second, of which a number may come at once.
///
/// Threads   one.
class Rate {
public:
    explicit Rate(double per_second) : Rate{per_second, per_second} {}
    Rate(double per_second, double at_once)
        : per_second_{per_second}, at_once_{at_once}, left_{at_once} {}

    /// True while the rate leaves one; takes it.
    [[nodiscard]] bool take(SteadyTime now);
    [[nodiscard]] bool is_full(SteadyTime now) const { return left_at(now) >= at_once_; }

private:
    [[nodiscard]] double left_at(SteadyTime now) const;

    double per_second_;
    double at_once_;
    double left_;
    SteadyTime as_of_{};
};

/// A rate for each of many: a peer, a link. Those who have not come for a while are forgotten.
///
/// Bounds    each_max of them; whoever is new beyond shares one rate.
/// Threads   one.
class Rates {
public:
    static constexpr std::size_t each_max = 10'000;

    Rates(double per_second, double at_once) : fresh_{per_second, at_once}, shared_{fresh_} {}

    [[nodiscard]] bool take(const std::string& each, SteadyTime now);

private:
    Rate fresh_;
    Rate shared_;
    std::map<std::string, Rate, std::less<>> known_;
};

}  // namespace fanfare
