#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What strangers write into JSON without being able to: replies of mail servers in Latin-1, halves
/// of emojis, control characters. One bad string must not lose what stands beside it.
namespace fanfare::receipts {

/// True for well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `json` with strings that any parser takes: U+FFFD for each malformed byte, each half of a
/// surrogate pair and each unknown escape, blanks for control characters. What is outside of
/// strings stays as it is.
[[nodiscard]] std::string mended(std::string_view json);

/// The elements of a JSON array, each as it stands, found without parsing them: one that is none of
/// JSON's spoils no other. Nothing where `json` does not begin as an array.
[[nodiscard]] std::optional<std::vector<std::string_view>> split_elements(std::string_view json);

}  // namespace fanfare::receipts
