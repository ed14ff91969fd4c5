#include "cli/command.hpp"
#include "cli/given.hpp"
#include "cli/known_words.hpp"
#include "cli/output.hpp"
#include "core/program/version.hpp"
#include "core/settings/start_up.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

/// The first word that is no command where one must stand; "" where there is none.
std::string misspelt_command(const CLI::App& app, int argc, char** argv) {
    const CLI::App* group = &app;
    std::string place;
    for (int i = 1; i < argc; ++i) {
        const std::string word{argv[i]};
        if (word == "-c" || word == "--config") ++i;
        if (word.starts_with('-')) {
            if (group != &app && word != "-c" && word != "--config") break;  // Its own option.
            continue;
        }
        std::vector<std::string> known;
        const CLI::App* next = nullptr;
        for (const auto* const each : group->get_subcommands({})) {
            known.push_back(each->get_name());
            if (each->get_name() == word) next = each;
        }
        if (next == nullptr) return fanfare::cli::unknown_command(place, word, known);
        group = next;
        place += (place.empty() ? "" : " ") + word;
        if (group->get_subcommands({}).empty()) break;
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    using namespace fanfare;
    using namespace fanfare::cli;
    forbid_core_dumps();
    Globals globals;
    CLI::App app{"Tells every follower, once: publish jobs, watch them, ask what became of them."};
    app.add_option("-c,--config", globals.config,
                   "Settings file; FANFARE_... variables override its keys")
        ->envname(config_variable)
        ->capture_default_str();
    app.add_flag("--json", globals.json, "Answer in JSON, one object a line");
    app.set_version_flag("--version", version());
    app.require_subcommand(1);
    app.fallthrough();  // Global options may stand anywhere.
    app.footer(
        "Exit codes: 0 done, 1 differences or a failed job, 64 usage, 65 rejected, 66 no such file,"
        "\n            69 unavailable, 70 bug, 75 timed out, 78 configuration.");
    add_publish(app, globals);
    add_status(app, globals);
    add_delivery(app, globals);
    add_person(app, globals);
    add_notifications(app, globals);
    add_dead(app, globals);
    add_verify(app, globals);
    add_audit(app, globals);
    add_cancel(app, globals);
    add_replay(app, globals);
    add_pause(app, globals);
    add_accounts(app, globals);
    add_suppress(app, globals);
    add_config(app, globals);
    add_doctor(app, globals);
    add_db(app, globals);
    add_topics(app, globals);
    add_completion(app, globals);
    if (const auto sentence = misspelt_command(app, argc, argv); !sentence.empty()) {
        print_error(sentence);
        return exit_usage;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& fault) {
        return app.exit(fault) == 0 ? exit_ok : exit_usage;
    }
    for (const auto& sentence : {empty_option(app), unreadable_option(app)}) {
        if (sentence.empty()) continue;
        print_error(sentence);
        return exit_usage;
    }
    spdlog::set_level(spdlog::level::off);  // A command says itself what went wrong.
    try {
        return globals.chosen();
    } catch (const Stop& stop) {
        print_error(stop.what());
        return stop.exit_code;
    } catch (const std::exception& fault) {
        print_error(fmt::format("a bug of fanfare: {}", fault.what()));
        return exit_bug;
    }
}
