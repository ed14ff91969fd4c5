#pragma once

#include "core/audience/reach.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

#include <pqxx/result>
#include <pqxx/row>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What looking into a system's own database takes.
namespace fanfare {

using Column = pqxx::row::size_type;

/// "" for null, and for a column that is not there.
[[nodiscard]] std::string column_text(const pqxx::row& row, std::optional<Column> column);

/// True for a column of a contact query that says something of the person.
[[nodiscard]] bool is_personal(std::string_view column) noexcept;

/// For ReachQuestion: whom a kind may not tell once more now. None where nobody minds. What `job`
/// holds does not count; "": nothing is held yet.
[[nodiscard]] std::function<std::vector<std::string>(const std::string& people)> caps_lookup(
    postgres::Connection& ledger, const System& system, const Kind& kind,
    const std::string& job = {});

/// Where the system's tables are.
[[nodiscard]] const Secret& database_for(const Settings& settings, const System& system) noexcept;

}  // namespace fanfare
