#pragma once

#include <pqxx/result>

#include <cstdint>
#include <optional>

namespace fanfare::ledger {

/// A column that may be null.
[[nodiscard]] inline std::optional<std::int64_t> number_or_none(const pqxx::field& field) {
    if (field.is_null()) return std::nullopt;
    return field.as<std::int64_t>();
}

}  // namespace fanfare::ledger

/// The byte of one person in a column of a chunk `c`, at `u.position` of its recipients; 0 where
/// the column is null, which is to say that everybody's is.
#define FANFARE_BYTE(column)                                        \
    "CASE WHEN c." column " IS NULL THEN 0 ELSE get_byte(c." column \
    ", (u.position - 1)::integer) END"
