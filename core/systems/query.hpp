#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// A statement whose named parameters became positional ones.
struct BoundQuery {
    std::string sql;                      // Comments are gone, lines are kept.
    std::vector<std::string> parameters;  // Names in positional order.
};

/// Why a text is no query of a system folder.
struct QueryFault {
    int line_offset = 0;   // Lines below the first of the text.
    std::string found;     // "':recipients' never closed" and the like.
    std::string expected;  // Completes "expected ...".
};

/// Turns ":name" into "$n::text" (":recipients" and ":addresses" into "$n::text[]", ":horizon" into
/// "$n::timestamptz"); the same name is the same n. Strings, quoted identifiers, dollar
/// quotes, comments and "::" are understood and left alone; comments are dropped.
///
/// One statement that begins with SELECT or WITH; a semicolon may end it and is dropped.
/// "$1" and NUL are refused. Write "[1 : n]" with spaces, or the slice is a parameter.
[[nodiscard]] std::variant<BoundQuery, QueryFault> bind_parameters(std::string_view text);

}  // namespace fanfare
