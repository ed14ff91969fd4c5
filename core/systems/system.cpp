#include "core/systems/system.hpp"

#include "core/settings/schema.hpp"
#include "core/settings/secret_source.hpp"
#include "core/systems/kind_reader.hpp"
#include "core/systems/query.hpp"
#include "core/systems/references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace fanfare {
namespace {

// What a query may ask for besides its own columns.
struct ParameterRule {
    std::string reserved;  // The one parameter; "" for any but the reserved names.
    bool required;
};

void check_parameters(const Query& query, const ParameterRule& rule, const std::string& key,
                      Report& report) {
    for (const auto& name : query.parameters) {
        const bool is_reserved = name == "recipients" || name == "horizon" || name == "addresses";
        if (rule.reserved.empty() ? !is_reserved : name == rule.reserved) continue;
        report.add(
            query.line, key, ":" + name,
            rule.reserved.empty()
                ? "parameters of the job; :recipients, :horizon and :addresses mean something "
                  "else"
                : fmt::format("no parameter but :{}", rule.reserved));
    }
    if (rule.required && query.parameters.empty()) {
        report.add(query.line, key, "a query without parameters",
                   fmt::format("one that uses :{}", rule.reserved));
    }
}

// The statement itself, or {sql: statement}, beside which some keys may stand.
const YamlValue* read_sql(const YamlValue& value, const std::string& key, Report& report,
                          const std::vector<std::string>& beside) {
    if (value.is_scalar()) return &value;
    const auto* const sql = value.find("sql");
    std::vector<std::string> known{join_key(key, "sql")};
    for (const auto& each : beside) known.push_back(join_key(key, each));
    for (const auto& each : value.keys) {
        const auto full = join_key(key, each.text);
        if (std::find(known.begin(), known.end(), full) == known.end()) {
            report.unknown(each.line, full, known);
        }
    }
    if (sql != nullptr && sql->is_scalar()) return sql;
    report.add(value.line, key, value.shown(), "SQL text, or {sql: text}");
    return nullptr;
}

std::optional<Query> read_query(const YamlValue& value, const std::string& key,
                                const ParameterRule& rule, Report& report,
                                const std::vector<std::string>& beside = {}) {
    const auto* const sql = read_sql(value, key, report, beside);
    if (sql == nullptr) return std::nullopt;
    const int first_line = sql->line + (sql->block ? 1 : 0);
    auto bound = bind_parameters(sql->text);
    if (const auto* fault = std::get_if<QueryFault>(&bound)) {
        report.add(first_line + fault->line_offset, key, fault->found, fault->expected);
        return std::nullopt;
    }
    auto& [text, parameters] = std::get<BoundQuery>(bound);
    Query query{std::move(text), std::move(parameters), report.file, first_line};
    check_parameters(query, rule, key, report);
    return query;
}

/// Names of parameters: one, or a list of them.
std::vector<std::string> read_parameters(const YamlValue* value, const Query& query,
                                         const std::string& key, Report& report) {
    if (value == nullptr || value->is_null()) return {};
    const auto& known = query.parameters;
    const TextRule rule{known.empty()
                            ? "a parameter of the query, which has none"
                            : fmt::format("a parameter of the query: {}", list_words(known)),
                        [&known](std::string_view name) {
                            return std::find(known.begin(), known.end(), name) != known.end();
                        }};
    std::vector<std::string> names;
    const auto read = [&](const YamlValue& each) {
        const auto* const name = expect_text(each, key, rule, report);
        if (name != nullptr) names.push_back(*name);
    };
    if (value->is_list()) {
        for (const auto& each : value->items) read(each);
    } else {
        read(*value);
    }
    return names;
}

std::optional<Audience> read_audience(const YamlValue& value, const std::string& name,
                                      const std::string& key, Report& report) {
    auto query = read_query(value, key, {"", false}, report, {"owner", "optional"});
    if (!query) return std::nullopt;
    Audience audience{.name = name, .query = std::move(*query)};
    const auto* const owner = value.find("owner");
    if (owner != nullptr && owner->is_list()) {
        report.add(owner->line, join_key(key, "owner"), owner->shown(), "one parameter");
        return audience;
    }
    for (auto& each : read_parameters(owner, audience.query, join_key(key, "owner"), report)) {
        audience.owner = std::move(each);
    }
    audience.optional =
        read_parameters(value.find("optional"), audience.query, join_key(key, "optional"), report);
    return audience;
}

void read_audiences(System& system, const YamlValue& map, const std::string& key, Report& report) {
    if (!expect_map(map, key, report)) return;
    const auto name_rule = name_pattern(100, "-_");
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& name = map.keys[i].text;
        if (!name_rule.accepts(name)) {
            report.add(map.keys[i].line, key, name, "a name of " + name_rule.bounds);
            continue;
        }
        if (auto audience = read_audience(map.items[i], name, join_key(key, name), report)) {
            system.audiences[name] = std::move(*audience);
        }
    }
}

void read_contacts(System& system, const YamlValue& map, const std::string& key, Report& report) {
    if (!expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto full = join_key(key, map.keys[i].text);
        const auto channel = channel_key(map, i, key, report);
        if (!channel) continue;
        auto query = read_query(map.items[i], full, {"recipients", false}, report);
        if (!query) continue;
        auto& contact = system.contacts[static_cast<std::size_t>(*channel)].emplace();
        contact.query = std::move(*query);
        if (!contact.query.parameters.empty()) continue;
        contact.relation = contact.query.sql;
        // PostgreSQL takes the parameter for an array of whatever type the id has.
        contact.query.sql = contacts_where(contact.relation, "contact.recipient_id = ANY($1)");
        contact.query.parameters.emplace_back("recipients");
    }
}

void read_done(System& system, const YamlValue& map, const std::string& key, Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& kind = map.keys[i].text;
        if (auto query = read_query(map.items[i], join_key(key, kind), {"", false}, report)) {
            system.done.emplace(kind, std::move(*query));
        }
    }
}

void read_write_backs(System& system, const YamlValue& map, const std::string& key,
                      Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto full = join_key(key, map.keys[i].text);
        if (map.keys[i].text == "done") {
            read_done(system, map.items[i], full, report);
        } else if (const auto channel = channel_key(map, i, key, report)) {
            system.write_backs[static_cast<std::size_t>(*channel)] =
                read_query(map.items[i], full, {"addresses", true}, report);
        }
    }
}

void read_kinds(System& system, const YamlValue& map, const std::string& key, Report& report) {
    if (!expect_map(map, key, report)) return;
    const auto name_rule = name_pattern(100, ".-_");
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& name = map.keys[i].text;
        if (!name_rule.accepts(name)) {
            report.add(map.keys[i].line, key, name, "a name of " + name_rule.bounds);
            continue;
        }
        auto kind = read_kind(name, map.items[i], join_key(key, name), report);
        // "none" is how a file says that there is nothing to unsubscribe from.
        if (kind.list.empty()) kind.list = system.name;
        if (kind.list == "none") kind.list.clear();
        system.kinds[name] = std::move(kind);
    }
}

void read_schedules(System& system, const YamlValue& map, const std::string& key, Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& kind = map.keys[i].text;
        auto query = read_query(map.items[i], join_key(key, kind), {"horizon", false}, report);
        if (query) system.schedules.push_back({kind, std::move(*query)});
    }
}

Form<System> system_form(const SecretSource& secrets) {
    Form<System> form;
    form.rows = {
        whole<System>(
            {"statement_timeout_ms", "ms", ""}, {100, 600'000},
            [](auto& s) -> auto& { return s.statement_timeout; }),
        words<System>(
            {"notify", "", ""}, sql_name(false), [](auto& s) -> auto& { return s.notify; }),
        words<System>(
            {"outbox", "", ""}, sql_name(true), [](auto& s) -> auto& { return s.outbox; }),
    };
    const auto special = [&form](const std::string& key, auto read) {
        form.specials.push_back({{key, "", "", "", ""}, read});
    };
    special("database", [secrets](System& system, const YamlValue& value, const std::string& key,
                                  Report& report) {
        const auto secret = secrets.read(value, key, report);
        if (!secret) return;
        if (is_database_url(*secret)) {
            system.database = *secret;
        } else {
            report.add(value.line, key, not_shown, "postgresql://... or a libpq connection string");
        }
    });
    form.rows.push_back(flag<System>(
        {"optional", "", ""}, [](auto& s) -> auto& { return s.optional; }));
    special("audiences", read_audiences);
    special("contacts", read_contacts);
    special("kinds", read_kinds);
    special("schedules", read_schedules);
    special("write_backs", read_write_backs);
    return form;
}

bool is_absent(const YamlValue& root, const Environment& environment) {
    const auto* const optional = root.find("optional");
    const auto* const database = root.find("database");
    const auto* const name = database == nullptr ? nullptr : database->find("env");
    return optional != nullptr && optional->is_scalar() && optional->text == "true" &&
           name != nullptr && name->is_scalar() && !name->text.empty() && !environment(name->text);
}

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

std::string contacts_where(std::string_view relation, std::string_view condition) {
    // Before the first line, so that lines keep their numbers.
    return fmt::format("SELECT * FROM ({}\n) contact WHERE {}", relation, condition);
}

bool is_reserved_column(std::string_view name) {
    constexpr std::array<std::string_view, 5> reserved{"recipient_id", "address", "locale",
                                                       "time_zone", "opted_out"};
    return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

bool Audience::needs(std::string_view parameter) const {
    return std::find(optional.begin(), optional.end(), parameter) == optional.end();
}

bool Audience::is_everybody_of_an_owner() const {
    return !owner.empty() &&
           std::all_of(query.parameters.begin(), query.parameters.end(),
                       [this](const auto& each) { return each == owner || !needs(each); });
}

std::vector<const char*> Audience::values(const std::map<std::string, std::string>& params) const {
    std::vector<const char*> found_values;
    for (const auto& parameter : query.parameters) {
        const auto found = params.find(parameter);
        found_values.push_back(found == params.end() ? nullptr : found->second.c_str());
    }
    return found_values;
}

const Kind* System::find_kind(std::string_view kind) const {
    const auto found = kinds.find(kind);
    return found == kinds.end() ? nullptr : &found->second;
}

const Audience* System::find_audience(std::string_view audience) const {
    const auto found = audiences.find(audience);
    return found == audiences.end() ? nullptr : &found->second;
}

bool System::writes_back() const {
    return !done.empty() || std::any_of(write_backs.begin(), write_backs.end(),
                                        [](const auto& query) { return query.has_value(); });
}

std::variant<System, Problems> parse_system(const std::filesystem::path& file,
                                            std::string_view text, const Environment& environment) {
    Report report{file.string(), {}};
    System system;
    system.name = file.parent_path().filename().string();
    const auto name_rule = name_pattern(40, "-_");
    if (!name_rule.accepts(system.name)) {
        report.add(0, "(folder)", system.name, "a name of " + name_rule.bounds);
    }
    if (const auto root = parse_yaml(text, report)) {
        system.absent = is_absent(*root, environment);
        const Environment placeholder = [](const std::string&) { return "dbname=absent"; };
        const SecretSource secrets{system.absent ? placeholder : environment, file.parent_path()};
        const auto form = system_form(secrets);
        FormReader<System>{system, form, "", report}.read(*root);
        check_references(system, *root, report);
    }
    if (!report.problems.empty()) return report.problems;
    return system;
}

std::variant<Systems, Problems> load_systems(const std::filesystem::path& dir,
                                             const Environment& environment) {
    std::error_code fault;
    std::vector<std::filesystem::path> folders;
    for (std::filesystem::directory_iterator at{dir, fault}, end; !fault && at != end;
         at.increment(fault)) {
        std::error_code ignored;
        const bool hidden = at->path().filename().string().starts_with('.');
        if (!hidden && at->is_directory(ignored)) folders.push_back(at->path());
    }
    if (fault) {
        return Problems{{dir.string(), 0, "systems_dir", dir.string(), "a readable folder"}};
    }
    std::sort(folders.begin(), folders.end());
    Systems systems;
    Problems problems;
    for (const auto& folder : folders) {
        const auto file = folder / "system.yaml";
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(file, ignored)) {
            problems.push_back({file.string(), 0, "(document)", "(not readable)",
                                "a system.yaml in every folder of systems_dir"});
            continue;
        }
        auto read = parse_system(file, read_text(file), environment);
        if (auto* system = std::get_if<System>(&read)) {
            if (!system->absent) systems.emplace(system->name, std::move(*system));
        } else {
            auto& found = std::get<Problems>(read);
            problems.insert(problems.end(), found.begin(), found.end());
        }
    }
    if (!problems.empty()) return problems;
    return systems;
}

}  // namespace fanfare
