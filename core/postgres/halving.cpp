#include "core/postgres/halving.hpp"

#include <pqxx/except>

#include <string_view>

namespace fanfare::postgres {

bool is_data_error(const std::exception& fault) noexcept {
    const auto* const sql = dynamic_cast<const pqxx::sql_error*>(&fault);
    if (sql == nullptr) return false;
    const auto kind = std::string_view{sql->sqlstate()}.substr(0, 2);
    return kind == "21" || kind == "22" || kind == "23" || kind == "54";
}

}  // namespace fanfare::postgres
