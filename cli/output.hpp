#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare::cli {

/// One value of an answer.
using Cell = std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;

/// One answer with named values: a line of a table, or a JSON object.
using Record = std::vector<std::pair<std::string, Cell>>;

/// {"job":"...","sent":12}, without a line break. Bytes that are not UTF-8 become U+FFFD; control
/// characters are escaped, those that turn text around too.
[[nodiscard]] std::string to_json(const Record& record);

/// "job" and "sent" above their values, aligned; numbers to the right. All records have the
/// columns of the first. Control characters are replaced: a table cannot drive a terminal.
[[nodiscard]] std::string to_table(const std::vector<Record>& records);

/// One value as a table shows it.
[[nodiscard]] std::string to_text(const Cell& cell);

/// Prints records: one JSON object a line, or a table; `nothing` where there are none.
void print(const std::vector<Record>& records, bool json, std::string_view nothing);

/// Prints to standard error, without what would drive a terminal.
void print_error(std::string_view lines);

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t number);

/// "90s", "30m", "2h", "1d"; nothing for what is none, or longer than ten years.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// 3725 -> "1h 2m", 62 -> "1m 2s", 3.2 -> "3.2s".
[[nodiscard]] std::string format_duration(double seconds);

}  // namespace fanfare::cli
