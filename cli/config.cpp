// config: what a person sets up, checked as a whole.
#include "cli/config_checks.hpp"
#include "cli/output.hpp"
#include "core/time_zones/time_zone.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

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

void add_config(CLI::App& app, Globals& globals) {
    auto* const command = app.add_subcommand("config", "Settings, systems, templates, accounts");
    command->require_subcommand(1);
    auto* const find = command->add_subcommand("check", "Find every mistake at once");
    auto asked = std::make_shared<ConfigAsked>();
    find->add_flag("--database", asked->database, "Try the queries on their databases too");
    find->add_flag("--kafka", asked->kafka, "Look at the topics too");
    choose(find, globals, [&globals, asked] { return check(globals, *asked); });
    auto* const list = command->add_subcommand("keys", "Every key of the settings file");
    list->callback([&globals] { globals.chosen = [&globals] { return keys(globals); }; });
}

}  // namespace fanfare::cli
