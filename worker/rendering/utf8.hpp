#pragma once

#include <cstddef>
#include <string_view>

namespace fanfare {

/// What next_character() answers for bytes that are not UTF-8: no character at all.
inline constexpr char32_t not_utf8 = 0xFFFF'FFFF;

/// Reads the character at `offset` (which must be inside of `text`) and moves past it.
[[nodiscard]] char32_t next_character(std::string_view text, std::size_t& offset) noexcept;

}  // namespace fanfare
