#pragma once

#include "core/domain/vocabulary.hpp"

#include <pqxx/result>

#include <cstdint>
#include <optional>

namespace fanfare::ledger {

/// A column that may be null.
[[nodiscard]] inline std::optional<std::int64_t> number_or_none(const pqxx::field& field) {
    if (field.is_null()) return std::nullopt;
    return field.as<std::int64_t>();
}

static_assert(static_cast<int>(Outcome::sent) == 1 && static_cast<int>(Outcome::clicked) == 4 &&
              static_cast<int>(Outcome::unknown) == 13);
static_assert(static_cast<int>(Reason::answer_lost) == 7 &&
              static_cast<int>(Reason::worker_lost) == 9);

}  // namespace fanfare::ledger

/// The byte of one person in a column of a chunk `c`, at `u.position` of its recipients; 0 where
/// the column is null, which is to say that everybody's is.
#define FANFARE_BYTE(column)                                        \
    "CASE WHEN c." column " IS NULL THEN 0 ELSE get_byte(c." column \
    ", (u.position - 1)::integer) END"

/// True for a person `u` of a chunk `c` who may have been told: whom a provider took responsibility
/// for, who is in doubt (core/domain/doubt.hpp), finally, until another try or when a replay took
/// them over, and whose request is under way.
#define FANFARE_MAY_BE_TOLD \
    "(" FANFARE_BYTE("outcomes") " IN (1, 2, 3, 4, 13) "                               \
    "OR (" FANFARE_BYTE("outcomes") " IN (0, 11, 14) AND " FANFARE_BYTE("reasons")         \
    " IN (7, 8, 9)) "                                                                  \
    "OR (c.state = 'claimed' AND octet_length(c.begun) = c.size "                      \
    " AND " FANFARE_BYTE("begun") " = 1)) "
