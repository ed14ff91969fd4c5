#pragma once

#include <cstdint>
#include <string>

namespace fanfare {

/// Millionths of a dollar, so that a sum is exact.
using Micros = std::int64_t;

[[nodiscard]] Micros to_micros(double dollars) noexcept;

/// `count` messages `moments` times at `price` each; the largest number there is where it would
/// be more.
[[nodiscard]] Micros total_cost(std::int64_t count, std::int64_t moments, Micros price) noexcept;

/// "8.00", "0.0015": two decimals at least, six at most.
[[nodiscard]] std::string dollars(Micros amount);

}  // namespace fanfare
