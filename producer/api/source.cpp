#include "producer/api/source.hpp"

namespace fanfare::api {

std::string text_of(const pqxx::row& row, std::optional<Column> column) {
    return column && !row[*column].is_null() ? row[*column].c_str() : std::string{};
}

bool is_personal(std::string_view column) noexcept { return !is_reserved_column(column); }

const Secret& database_of(const Settings& settings, const System& system) noexcept {
    return system.database.empty() ? settings.database.url : system.database;
}

}  // namespace fanfare::api
