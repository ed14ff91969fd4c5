#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What PostgreSQL says of how it would read people.
namespace fanfare {

/// A plan's access to the table in which the ids of a range are found.
struct ContactAccess {
    std::string node;                  // In PostgreSQL's words: "Index Only Scan", "Seq Scan" ...
    std::string schema, table, alias;  // As they are, not quoted.
    std::string condition;             // On the range, of whichever kind.
    std::vector<std::string> texts;    // Everything that the plan says of columns.

    [[nodiscard]] bool is_index_only() const { return node == "Index Only Scan"; }
};
/// Reads what EXPLAIN (VERBOSE, FORMAT JSON) says of a query by range; nothing where no table is
/// asked for it by itself. Pure.
[[nodiscard]] std::optional<ContactAccess> read_access(std::string_view plan);

/// Whether one of the plan's texts names a column of the table; both quoted as SQL needs it. Pure.
[[nodiscard]] bool names_column(const std::vector<std::string>& texts, std::string_view alias,
                                std::string_view column);

}  // namespace fanfare
