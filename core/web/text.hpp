#pragma once

#include <string>
#include <string_view>

namespace fanfare {

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool same_word(std::string_view left, std::string_view right) noexcept;
[[nodiscard]] std::string lower(std::string_view text);
/// Without blanks and tabs around it.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// 0 to 15, or -1.
[[nodiscard]] int hex_digit(char c) noexcept;
/// A character that HTTP's tokens are of: methods, names of fields, codings.
[[nodiscard]] bool is_token_character(char c) noexcept;
[[nodiscard]] bool is_token(std::string_view text) noexcept;
/// A character that may stand in a field's value: no control character but the tab.
[[nodiscard]] bool is_value_character(char c) noexcept;

/// "Not Found" for 404.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

}  // namespace fanfare
