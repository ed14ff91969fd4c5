// config: what a person sets up, checked as a whole.
#include "cli/config_checks.hpp"
#include "cli/output.hpp"
#include "core/time_zones/time_zone.hpp"

#include <fmt/format.h>

namespace fanfare::cli {
namespace {

void add(std::vector<Record>& records, const Problem& problem, const char* level) {
    records.push_back({{"level", std::string{level}},
                       {"file", problem.file},
                       {"line", std::int64_t{problem.line}},
                       {"key", problem.key},
                       {"value", problem.value},
                       {"expected", problem.expected}});
}

void report(const Globals& globals, const ConfigFound& found) {
    std::vector<Record> records;
    for (const auto& problem : found.problems) add(records, problem, "error");
    for (const auto& warning : found.warnings) add(records, warning, "warning");
    const auto zones = time_zone_data_version();
    if (globals.json) {
        add(records, {time_zone_folder, 0, "tzdata", zones, {}, 0}, "info");
        print(records, true, "");
        return;
    }
    fmt::print("time zones: tzdata {} of {}\n", printable(zones), time_zone_folder);
    for (const auto& problem : found.problems) print_error(describe(problem));
    for (const auto& warning : found.warnings) print_error("warning: " + describe(warning));
    if (found.problems.empty()) {
        fmt::print("{}: everything is in order\n", printable(globals.config));
    } else {
        print_error(fmt::format("{} problems", found.problems.size()));
    }
}

int check(const Globals& globals, const ConfigAsked& asked) {
    const auto found = check_config(globals, asked);
    report(globals, found);
    if (found.problems.empty()) return exit_ok;
    return found.settings ? exit_config : exit_code_of_settings(globals.config);
}

int keys(const Globals& globals) {
    std::vector<Record> records;
    for (const auto& doc : setting_docs()) {
        records.push_back({{"key", doc.key},
                           {"default", doc.default_value},
                           {"unit", doc.unit},
                           {"bounds", doc.bounds},
                           {"doc", doc.doc}});
    }
    print(records, globals.json, "");
    return exit_ok;
}

}  // namespace

void add_config(const Command& app, Globals& globals) {
    const auto command = app.command("config", "Settings, systems, templates, accounts");
    command.needs_command();
    const auto find = command.command("check", "Find every mistake at once");
    auto asked = std::make_shared<ConfigAsked>();
    find.flag("--database", asked->database, "Try the queries on their databases too");
    find.flag("--kafka", asked->kafka, "Look at the topics too");
    choose(find, globals, [&globals, asked] { return check(globals, *asked); });
    const auto list = command.command("keys", "Every key of the settings file");
    choose(list, globals, [&globals] { return keys(globals); });
}

}  // namespace fanfare::cli
