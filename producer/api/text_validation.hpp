#pragma once

#include <cstddef>
#include <string_view>

namespace fanfare::api {

/// 1 to `bytes_max` bytes of UTF-8 without control characters: what PostgreSQL takes and a log
/// line may hold.
[[nodiscard]] bool is_plain(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace fanfare::api
