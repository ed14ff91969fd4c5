#include "core/postgres/halving.hpp"

#include <pqxx/except>

#include <algorithm>
#include <array>
#include <string_view>

namespace fanfare::postgres {
namespace {

std::string_view find_sqlstate(const std::exception& fault) noexcept {
    const auto* const sql = dynamic_cast<const pqxx::sql_error*>(&fault);
    return sql == nullptr ? std::string_view{} : std::string_view{sql->sqlstate()};
}

}  // namespace

bool is_data_error(const std::exception& fault) noexcept {
    constexpr std::array<std::string_view, 10> kinds{"21", "22", "23", "54",    "P0",
                                                     "2F", "38", "39", "XX001", "XX002"};
    const auto state = find_sqlstate(fault);
    return std::any_of(kinds.begin(), kinds.end(),
                       [state](std::string_view kind) { return state.starts_with(kind); });
}

bool is_timeout(const std::exception& fault) noexcept { return find_sqlstate(fault) == "57014"; }

}  // namespace fanfare::postgres
