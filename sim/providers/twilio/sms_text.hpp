#pragma once

#include <cstddef>
#include <string_view>

namespace fanfare::sim {

/// Segments a text is sent in: GSM-7 (160, or 153 each) if all characters allow it, else
/// UCS-2 (70, or 67 each). `text` is valid UTF-8.
[[nodiscard]] std::size_t count_segments(std::string_view text) noexcept;

/// Whether GSM-7 has all characters. `text` is valid UTF-8.
[[nodiscard]] bool is_gsm(std::string_view text) noexcept;

}  // namespace fanfare::sim
