#pragma once

#include <chrono>
#include <cstddef>

namespace fanfare {

constexpr std::size_t answer_bytes_max = 1 << 20;  // Of an answer's body.
/// Connecting takes no longer, TLS included, whatever the timeout.
constexpr std::chrono::milliseconds http_connect_max{5'000};

}  // namespace fanfare
