// doctor: what is wrong, and what to type.
#include "cli/config_checks.hpp"
#include "cli/doctor_checks.hpp"
#include "cli/output.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::cli {
namespace {

bool is(const Finding& finding, std::string_view level) { return finding.level == level; }

void report(const Globals& globals, const Findings& findings) {
    if (globals.json) {
        std::vector<Record> records;
        for (const auto& each : findings) {
            records.push_back({{"level", std::string{each.level}},
                               {"what", each.what},
                               {"found", each.found},
                               {"type", each.type}});
        }
        print(records, true, "");
        return;
    }
    for (const auto& each : findings) {
        fmt::print("{:8} {}: {}\n", each.level, printable(each.what), printable(each.found));
        if (!each.type.empty()) fmt::print("         -> {}\n", printable(each.type));
    }
    const auto errors = std::count_if(findings.begin(), findings.end(),
                                      [](const auto& each) { return is(each, "error"); });
    const auto warnings = std::count_if(findings.begin(), findings.end(),
                                        [](const auto& each) { return is(each, "warning"); });
    fmt::print("{} errors, {} warnings\n", errors, warnings);
}

int examine(const Globals& globals) {
    const auto found = check_config(globals, {.database = true, .kafka = true});
    Findings findings = of_config(globals, found);
    if (found.settings) {
        look_at_ledger(*found.settings, findings);
        look_at_broker(*found.settings, findings);
        look_at_accounts(*found.settings, findings);
    }
    look_at_time_zones(findings);
    std::stable_sort(findings.begin(), findings.end(), [](const auto& a, const auto& b) {
        const auto rank = [](const Finding& each) {
            return is(each, "error") ? 0 : is(each, "warning") ? 1 : is(each, "note") ? 2 : 3;
        };
        return rank(a) < rank(b);
    });
    report(globals, findings);
    const bool sick = std::any_of(findings.begin(), findings.end(),
                                  [](const auto& each) { return is(each, "error"); });
    return sick ? exit_differs : exit_ok;
}

}  // namespace

void add_doctor(const Command& app, Globals& globals) {
    const auto command = app.command(
        "doctor", "What is wrong with everything around, and what to type; exit code 1 if so");
    choose(command, globals, [&globals] { return examine(globals); });
}

}  // namespace fanfare::cli
