#pragma once

#include "core/http/exchange.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fanfare {

/// No provider may hold us back for longer at a time.
inline constexpr std::chrono::milliseconds wait_hint_max = std::chrono::hours{1};

/// X-RateLimit-Reset: Unix seconds, perhaps with a fraction; 0 where absent or past.
[[nodiscard]] std::chrono::milliseconds parse_rate_limit_reset(std::string_view value,
                                                               std::int64_t now_unix);

/// The moment of an e-mail or HTTP date in Unix seconds; nothing where it is none.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view date);

/// The time until an e-mail or HTTP date; 0 where it is none or lies in the past.
[[nodiscard]] std::chrono::milliseconds wait_until_date(std::string_view date,
                                                        std::int64_t now_unix);

/// How long an answer asks us to wait: Retry-After, else X-RateLimit-Reset, else 0.
[[nodiscard]] std::chrono::milliseconds wait_hint(const HttpAnswer& answer, std::int64_t now_unix);

}  // namespace fanfare
