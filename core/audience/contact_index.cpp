#include "core/audience/contact_index.hpp"

#include "core/audience/contact_plan.hpp"

#include <fmt/format.h>
#include <pqxx/transaction>

#include <vector>

namespace fanfare {
namespace {

constexpr double small_table_rows = 10'000;  // All of it is in memory, and few pages.
constexpr double seen_share_min = 0.9;       // Of the pages, which a vacuum has seen.

/// How a range is planned whatever its ends.
std::string explain(pqxx::work& work, const std::string& sql) {
    work.exec("SET LOCAL plan_cache_mode = force_generic_plan");
    work.exec("PREPARE fanfare_range AS " + sql);
    const auto rows =
        work.exec("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE fanfare_range (NULL, NULL, 1000)");
    work.exec("DEALLOCATE fanfare_range");
    return rows[0][0].c_str();
}

struct Table {
    std::string name, alias;  // Quoted, the name with its schema.
    double rows = 0;
    double seen = 0;  // Share of its pages.
    std::vector<std::string> columns;
};

std::optional<Table> load_table(pqxx::work& work, const ContactAccess& access) {
    const auto rows = work.exec_params(
        "SELECT quote_ident($1) || '.' || quote_ident($2), quote_ident($3), c.reltuples, "
        " least(1, c.relallvisible / greatest(c.relpages, 1)::float8), quote_ident(a.attname) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum",
        access.schema, access.table, access.alias);
    if (rows.empty()) return std::nullopt;
    Table table{rows[0][0].c_str(),
                rows[0][1].c_str(),
                rows[0][2].as<double>(),
                rows[0][3].as<double>(),
                {}};
    for (const auto& row : rows) table.columns.emplace_back(row[4].c_str());
    return table;
}

/// "CREATE INDEX CONCURRENTLY ON public.users (id) INCLUDE (email, locale)".
std::string create_index(const ContactAccess& access, const Table& table) {
    std::string id;
    std::vector<std::string> others;
    for (const auto& column : table.columns) {
        if (id.empty() && names_column({access.condition}, table.alias, column)) {
            id = column;
        } else if (names_column(access.texts, table.alias, column)) {
            others.push_back(column);
        }
    }
    if (access.condition.find("COLLATE \"C\"") != std::string::npos) id += " COLLATE \"C\"";
    return fmt::format("CREATE INDEX CONCURRENTLY ON {} ({}){}", table.name, id,
                       others.empty() ? "" : fmt::format(" INCLUDE ({})", fmt::join(others, ", ")));
}

}  // namespace

std::optional<IndexAdvice> index_advice(postgres::Connection& source, std::string_view relation) {
    const auto ways = contact_ways(source, relation);
    if (ways.by_range.empty()) return std::nullopt;
    pqxx::work work{source.raw()};
    const auto access = read_access(explain(work, ways.by_range));
    if (!access) return std::nullopt;
    const auto table = load_table(work, *access);
    if (!table || table->rows < small_table_rows) return std::nullopt;
    if (!access->is_index_only()) {
        return IndexAdvice{
            fmt::format("{} of {}", access->node, table->name),
            fmt::format("an index that holds all it reads, so that nobody costs a page of the "
                        "table: {}; VACUUM (ANALYZE) {}",
                        create_index(*access, *table), table->name)};
    }
    if (table->seen >= seen_share_min) return std::nullopt;
    return IndexAdvice{
        fmt::format("an index that holds all it reads, and {:.0f} % of the pages of {} that no "
                    "vacuum has seen",
                    100 * (1 - table->seen), table->name),
        fmt::format("a table that is vacuumed, else they are read all the same: VACUUM {}; and "
                    "autovacuum more often (autovacuum_vacuum_insert_scale_factor)",
                    table->name)};
}

}  // namespace fanfare
