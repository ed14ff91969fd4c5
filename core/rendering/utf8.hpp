#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare {

/// What next_character() answers for bytes that are not UTF-8: no character at all.
inline constexpr char32_t not_utf8 = 0xFFFF'FFFF;

/// Reads the character at `offset` (which must be inside of `text`) and moves past it.
[[nodiscard]] char32_t next_character(std::string_view text, std::size_t& offset) noexcept;

/// Whether nobody sees it: marks of zero width, of direction, and what marks others (variation
/// selectors, tags, joiners), but for a soft hyphen.
[[nodiscard]] bool is_ignorable(char32_t character) noexcept;

/// Whether it belongs to a script that runs from right to left.
[[nodiscard]] bool is_right_to_left(char32_t character) noexcept;

/// The text with the differences of case taken out, to compare or to search.
[[nodiscard]] std::string case_folded(std::string_view text);

}  // namespace fanfare
