#pragma once

#include <string>
#include <string_view>

namespace fanfare::postgres {

/// What an SQLSTATE means and what to do about it, in our words: the server's own may quote a
/// value of a row or a parameter. `message` gives nothing but the line that the server points to
/// in a statement it does not understand: "names a column that is not there, line 3 (SQLSTATE
/// 42703)".
[[nodiscard]] std::string words_of_state(std::string_view state, std::string_view message = {});

/// Why a connection could not be had: libpq's text, or the server's, in our words.
[[nodiscard]] std::string_view words_of_refusal(std::string_view text);

/// The line of a statement that a message of the server points to; 0: it points to none.
[[nodiscard]] int line_in(std::string_view message);

}  // namespace fanfare::postgres
