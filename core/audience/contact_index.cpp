#include "core/audience/contact_index.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <pqxx/transaction>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

namespace json = boost::json;

constexpr double small_table_rows = 10'000;  // All of it is in memory, and few pages.
constexpr double seen_share_min = 0.9;       // Of the pages, which a vacuum has seen.
constexpr std::array<const char*, 4> conditions{"Index Cond", "Recheck Cond", "Filter",
                                                "Join Filter"};

std::string text_at(const json::object& node, const char* name) {
    const auto* const found = node.if_contains(name);
    return found != nullptr && found->is_string() ? std::string{found->get_string()}
                                                  : std::string{};
}

class PlanReader {
public:
    void read(const json::object& node, bool is_root) {
        const auto table = text_at(node, "Relation Name");
        for (const auto* const name : conditions) {
            const auto condition = text_at(node, name);
            if (condition.empty()) continue;
            texts_.push_back(condition);
            if (table.empty() || access_ || condition.find("$1") == std::string::npos) continue;
            access_ = ContactAccess{text_at(node, "Node Type"),
                                    text_at(node, "Schema"),
                                    table,
                                    text_at(node, "Alias"),
                                    condition,
                                    {}};
        }
        // What a scan below others hands on may be its whole row; what these say counts.
        if (is_root || table.empty()) read_texts(node);
        const auto* const below = node.if_contains("Plans");
        if (below == nullptr || !below->is_array()) return;
        const bool is_passed_on = is_root && text_at(node, "Node Type") == "Limit";
        for (const auto& plan : below->get_array()) {
            if (plan.is_object()) read(plan.get_object(), is_passed_on);
        }
    }

    std::optional<ContactAccess> take() {
        if (access_) access_->texts = std::move(texts_);
        return std::move(access_);
    }

private:
    void read_texts(const json::object& node) {
        for (const auto* const name : {"Output", "Sort Key", "Group Key"}) {
            const auto* const list = node.if_contains(name);
            if (list == nullptr || !list->is_array()) continue;
            for (const auto& each : list->get_array()) {
                if (each.is_string()) texts_.emplace_back(each.get_string());
            }
        }
        for (const auto* const name : {"Hash Cond", "Merge Cond"}) {
            if (auto text = text_at(node, name); !text.empty()) texts_.push_back(std::move(text));
        }
    }

    std::optional<ContactAccess> access_;
    std::vector<std::string> texts_;
};

bool is_part_of_a_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '"' || (static_cast<unsigned char>(c) & 0x80U) != 0;
}

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

std::optional<ContactAccess> read_access(std::string_view plan) {
    json::error_code fault;
    const auto value = json::parse(plan, fault);
    const auto* const list = fault ? nullptr : value.if_array();
    if (list == nullptr || list->empty() || !list->front().is_object()) return std::nullopt;
    const auto* const root = list->front().get_object().if_contains("Plan");
    if (root == nullptr || !root->is_object()) return std::nullopt;
    PlanReader reader;
    reader.read(root->get_object(), true);
    return reader.take();
}

bool names_column(const std::vector<std::string>& texts, std::string_view alias,
                  std::string_view column) {
    const auto wanted = fmt::format("{}.{}", alias, column);
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
            const auto end = at + wanted.size();
            const bool begins = at == 0 || !is_part_of_a_name(text[at - 1]);
            if (begins && (end == text.size() || !is_part_of_a_name(text[end]))) return true;
        }
        return false;
    });
}

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
