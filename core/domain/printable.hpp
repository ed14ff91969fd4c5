#pragma once

#include <string>
#include <string_view>

namespace fanfare {

/// Text that came from anywhere, fit for a terminal or a line of a log: one line that can neither
/// move the cursor nor turn around what is read. C0, DEL, C1, U+2028, U+2029 and the characters
/// that set the direction of text become `instead`; what is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string printable(std::string_view text, char instead = '?');

/// The same for text of several lines of ours: newlines stay.
[[nodiscard]] std::string printable_lines(std::string_view text, char instead = '?');

/// JSON with the same characters written as \uXXXX where they stood in a string. It means the same
/// to a program; between its values newlines and tabs stay.
[[nodiscard]] std::string printable_json(std::string_view json);

}  // namespace fanfare
