#include "core/audience/source.hpp"

#include "core/ledger/caps.hpp"
#include "core/wire/job.hpp"

namespace fanfare {

std::string column_text(const pqxx::row& row, std::optional<Column> column) {
    return column && !row[*column].is_null() ? row[*column].c_str() : std::string{};
}

bool is_personal(std::string_view column) noexcept { return !is_reserved_column(column); }

std::function<std::vector<std::string>(const std::string& people)> caps_lookup(
    postgres::Connection& ledger, const System& system, const Kind& kind, const std::string& job) {
    if (!kind.at_most) return {};
    const auto own = job.empty() ? derived_id("") : job;
    return [&ledger, &system, &kind, own](const std::string& people) {
        const ledger::CapQuestion cap{.system = system.name,
                                      .kind = kind.name,
                                      .job = own,
                                      .count = kind.at_most->count,
                                      .window = kind.at_most->window};
        return ledger::over_cap(ledger, cap, people);
    };
}

const Secret& database_for(const Settings& settings, const System& system) noexcept {
    return system.database.empty() ? settings.database.url : system.database;
}

}  // namespace fanfare
