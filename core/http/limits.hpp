#pragma once

#include <chrono>
#include <cstddef>

namespace fanfare {

constexpr std::size_t answer_bytes_max = 1 << 20;           // Of an answer's body ...
constexpr std::size_t answer_header_bytes_max = 64 * 1024;  // ... and of its headers.
/// Connecting takes no longer, TLS included, whatever the timeout.
constexpr std::chrono::milliseconds http_connect_max{5'000};

}  // namespace fanfare
