#include "core/estimate/money.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace fanfare {
namespace {

constexpr Micros micros_per_dollar = 1'000'000;
constexpr std::size_t cents_decimals = 2;

}  // namespace

Micros to_micros(double amount) noexcept {
    return std::llround(amount * static_cast<double>(micros_per_dollar));
}

Micros total_cost(std::int64_t count, std::int64_t moments, Micros price) noexcept {
    Micros cost = 0;
    if (__builtin_mul_overflow(count, moments, &cost) ||
        __builtin_mul_overflow(cost, price, &cost)) {
        return std::numeric_limits<Micros>::max();
    }
    return cost;
}

std::string dollars(Micros amount) {
    auto text = fmt::format("{}.{:06}", amount / micros_per_dollar, amount % micros_per_dollar);
    const auto decimals_at = text.find('.') + 1;
    while (text.back() == '0' && text.size() > decimals_at + cents_decimals) text.pop_back();
    return text;
}

}  // namespace fanfare
