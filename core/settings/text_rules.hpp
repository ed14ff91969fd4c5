#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// What a text setting may hold: a noun phrase for people, and the test.
struct TextRule {
    std::string bounds;  // "1 to 200 bytes without control characters".
    std::function<bool(std::string_view)> accepts;
};

/// Between `bytes_min` and `bytes_max` bytes of UTF-8 without control characters.
[[nodiscard]] TextRule plain_text(std::size_t bytes_min, std::size_t bytes_max);
/// Of why somebody paused or replayed something: a line of a list shows it.
inline constexpr std::size_t because_bytes_max = 500;
/// One of these words.
[[nodiscard]] TextRule one_of(const std::vector<std::string>& words);
/// 1 to `bytes_max` characters, each a-z, 0-9 or one of `more`.
[[nodiscard]] TextRule name_pattern(std::size_t bytes_max, std::string_view more);
/// "embedded", or host:port with commas between.
[[nodiscard]] TextRule broker_list();
/// What may begin the name of a Kafka topic.
[[nodiscard]] TextRule topic_prefix();
/// An IPv4 or IPv6 address.
[[nodiscard]] TextRule ip_address();
/// Empty, or an https URL (http on this machine only) without user, query and fragment.
[[nodiscard]] TextRule base_url_or_empty();
/// An https URL without user, query and fragment; http of this machine only where it is allowed.
[[nodiscard]] bool is_base_url(std::string_view text, bool allow_http);
/// A name in PostgreSQL that needs no quotes; with `qualified`, a schema may stand before it.
[[nodiscard]] TextRule sql_name(bool qualified);
/// Empty, or the name of a time zone (core/time_zones).
[[nodiscard]] TextRule time_zone_or_empty();
/// A relative path below its root: no "..", no empty part.
[[nodiscard]] TextRule inner_path();

/// A name that a query or a template can use: [A-Za-z_][A-Za-z0-9_]{0,99}.
[[nodiscard]] bool is_variable_name(std::string_view text);
[[nodiscard]] bool has_control_character(std::string_view text);

[[nodiscard]] std::optional<std::int64_t> parse_whole(std::string_view text);
/// As JSON may write it: 1000, 1000.0 and 1e3 are one number.
[[nodiscard]] std::optional<std::int64_t> parse_json_whole(std::string_view text);
/// Finite, in decimal notation.
[[nodiscard]] std::optional<double> parse_real(std::string_view text);
/// "true" or "false".
[[nodiscard]] std::optional<bool> parse_flag(std::string_view text);

/// "a, b or c".
[[nodiscard]] std::string list_words(const std::vector<std::string>& words);

}  // namespace fanfare
