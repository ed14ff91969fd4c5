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
