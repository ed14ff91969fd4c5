#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare {

/// Appends the inside of a JSON string. Line feeds and tabs stay, other control
/// characters become spaces, malformed UTF-8 becomes U+FFFD: the result always parses.
void append_json(std::string_view text, std::string& out);

/// The same on one line, which a subject needs: line feeds and tabs become spaces too.
void append_json_line(std::string_view text, std::string& out);

/// The same as append_json_line(), with & < > " ' replaced by entities.
void append_json_html(std::string_view text, std::string& out);

/// What stands for one of & < > " ' in HTML; "" for any other character.
[[nodiscard]] std::string_view html_entity(char c) noexcept;

/// Appends `text` percent-encoded (RFC 3986, so that a space is %20 in every place).
/// Control characters and malformed UTF-8 as in append_json().
void append_percent_encoded(std::string_view text, std::string& out);

/// Appends `text` with control characters replaced by spaces and malformed UTF-8 by
/// U+FFFD: for names and header-like fields of one line.
void append_line(std::string_view text, std::string& out);

/// Appends a whole number in decimal.
void append_number(std::int64_t number, std::string& out);

/// "Authorization: Basic ..." of RFC 7617.
[[nodiscard]] std::string basic_authorization(std::string_view user, std::string_view password);

}  // namespace fanfare
