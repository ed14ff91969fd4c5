#include "core/ledger/own_templates.hpp"

#include "core/error/failure.hpp"

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

namespace json = boost::json;

constexpr std::string_view columns =
    "id, system, kind, owner, version, saved_by, "
    "to_char(saved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), parts ";

/// The owner's latest of a kind, whether it counts or is a deletion.
constexpr std::string_view latest =
    "FROM own_templates WHERE system = $1 AND kind = $2 AND owner = $3 "
    "ORDER BY version DESC LIMIT 1";

std::map<std::string, std::string> read_parts(const pqxx::field& field) {
    std::map<std::string, std::string> parts;
    if (field.is_null()) return parts;
    const auto document = json::parse({field.c_str(), field.size()});
    for (const auto& [name, text] : document.as_object()) {
        parts.emplace(name, text.as_string());
    }
    return parts;
}

OwnTemplates read_templates(const pqxx::row& row) {
    return {.id = row[0].as<std::int64_t>(),
            .key = {row[1].c_str(), row[2].c_str(), row[3].c_str()},
            .version = row[4].as<std::int32_t>(),
            .parts = read_parts(row[7]),
            .saved_by = row[5].c_str(),
            .saved_at = row[6].c_str()};
}

std::optional<OwnTemplates> read_first(const pqxx::result& rows) {
    if (rows.empty()) return std::nullopt;
    return read_templates(rows[0]);
}

/// Of several who write the same texts, one at a time; until the transaction ends.
void lock(pqxx::work& work, const TemplatesKey& key) {
    work.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                     fmt::format("own_templates/{}/{}/{}", key.system, key.kind, key.owner));
}

/// The next version; null `parts` delete.
OwnTemplates append(pqxx::work& work, const TemplatesKey& key, const char* parts,
                    const std::string& by) {
    const auto added = work.exec_params(
        fmt::format("INSERT INTO own_templates (system, kind, owner, version, parts, saved_by) "
                    "SELECT $1, $2, $3, 1 + coalesce((SELECT version {}), 0), $4::jsonb, $5 "
                    "RETURNING {}",
                    latest, columns),
        key.system, key.kind, key.owner, parts, by);
    auto saved = read_templates(added[0]);
    work.exec_params(
        "DELETE FROM own_templates t WHERE system = $1 AND kind = $2 AND owner = $3 "
        "AND version <= $4 AND NOT EXISTS (SELECT 1 FROM job WHERE own_templates = t.id)",
        key.system, key.kind, key.owner, saved.version - versions_kept);
    return saved;
}

}  // namespace

std::optional<OwnTemplates> current_templates(Connection& connection, const TemplatesKey& key) {
    pqxx::nontransaction work{connection.raw()};
    return read_first(work.exec_params(
        fmt::format("SELECT {} FROM (SELECT * {}) t WHERE parts IS NOT NULL", columns, latest),
        key.system, key.kind, key.owner));
}

std::optional<OwnTemplates> find_templates(Connection& connection, const TemplatesKey& key,
                                           std::int32_t version) {
    pqxx::nontransaction work{connection.raw()};
    return read_first(work.exec_params(
        fmt::format("SELECT {} FROM own_templates WHERE system = $1 AND kind = $2 AND owner = $3 "
                    "AND version = $4 AND parts IS NOT NULL",
                    columns),
        key.system, key.kind, key.owner, version));
}

std::optional<OwnTemplates> load_templates(Connection& connection, std::int64_t id) {
    pqxx::nontransaction work{connection.raw()};
    return read_first(
        work.exec_params(fmt::format("SELECT {} FROM own_templates WHERE id = $1", columns), id));
}

std::vector<OwnTemplates> list_templates(Connection& connection, const std::string& owner) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        fmt::format("SELECT {} FROM (SELECT DISTINCT ON (system, kind) id, system, kind, owner, "
                    " version, saved_by, saved_at, parts IS NULL AS is_deleted, NULL::jsonb AS "
                    "parts "
                    " FROM own_templates WHERE owner = $1 ORDER BY system, kind, version DESC) t "
                    "WHERE NOT is_deleted ORDER BY system, kind",
                    columns),
        owner);
    std::vector<OwnTemplates> list;
    for (const auto& row : rows) list.push_back(read_templates(row));
    return list;
}

SavedTemplates save_templates(Connection& connection, const TemplatesKey& key,
                              const std::map<std::string, std::string>& parts,
                              const std::string& by) {
    json::object document;
    for (const auto& [name, text] : parts) document[name] = text;
    const auto wanted = json::serialize(document);
    pqxx::work work{connection.raw()};
    lock(work, key);
    const auto known = work.exec_params(
        fmt::format("SELECT {}, parts IS NOT NULL, coalesce(parts = $4::jsonb, false) "
                    "FROM (SELECT * {}) t",
                    columns, latest),
        key.system, key.kind, key.owner, wanted);
    SavedTemplates saved;
    saved.was_there = !known.empty() && known[0][8].as<bool>();
    const bool is_same = saved.was_there && known[0][9].as<bool>();
    saved.templates = is_same ? read_templates(known[0]) : append(work, key, wanted.c_str(), by);
    work.commit();
    return saved;
}

bool delete_templates(Connection& connection, const TemplatesKey& key, const std::string& by) {
    pqxx::work work{connection.raw()};
    lock(work, key);
    const auto known = work.exec_params(fmt::format("SELECT parts IS NOT NULL {}", latest),
                                        key.system, key.kind, key.owner);
    if (known.empty() || !known[0][0].as<bool>()) return false;
    append(work, key, nullptr, by);
    work.commit();
    return true;
}

}  // namespace fanfare::ledger
