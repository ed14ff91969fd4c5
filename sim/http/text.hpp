#pragma once

#include "sim/http/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// Text as HTTP carries it. Standard alphabet, padded.
[[nodiscard]] std::string base64(std::string_view bytes);
/// URL-safe, without padding. Nothing when malformed.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

/// Appends `text` decoded ('+' is a blank). False when a '%' is not followed by two digits.
[[nodiscard]] bool append_decoded(std::string_view text, std::string& out);

/// Decodes name=value&... into views of `arena`, which is given room first. False when malformed.
[[nodiscard]] bool parse_form(std::string_view text, std::string& arena,
                              std::vector<Field>& fields);
/// One parameter of a query or form; "" when absent or malformed.
[[nodiscard]] std::string query_parameter(std::string_view query, std::string_view name);

/// First field of that name; null when absent.
[[nodiscard]] const Field* find_field(const std::vector<Field>& fields, std::string_view name);

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;
/// Code points of valid UTF-8.
[[nodiscard]] std::size_t count_characters(std::string_view text) noexcept;
[[nodiscard]] bool is_ascii(std::string_view text) noexcept;
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// Appends a JSON string literal, quotes included.
void append_json_string(std::string_view text, std::string& out);

/// "Fri, 01 Jan 2026 00:00:00 +0000"
[[nodiscard]] std::string rfc2822_date(std::int64_t unix_s);

}  // namespace fanfare::sim
