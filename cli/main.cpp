#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/settings/start_up.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    using namespace fanfare::cli;
    fanfare::forbid_core_dumps();
    Globals globals;
    CLI::App app{"Tells every follower, once: publish jobs, watch them, ask what became of them."};
    app.add_option("-c,--config", globals.config,
                   "Settings file; FANFARE_... variables override its keys")
        ->envname("FANFARE_CONFIG")
        ->capture_default_str();
    app.add_flag("--json", globals.json, "Answer in JSON, one object a line");
    app.set_version_flag("--version", FANFARE_VERSION);
    app.require_subcommand(1);
    app.fallthrough();  // Global options may stand anywhere.
    app.footer(
        "Exit codes: 0 done, 1 differences or a failed job, 64 usage, 65 rejected, "
        "69 unavailable,\n            70 bug, 75 timed out, 78 configuration.");
    add_publish(app, globals);
    add_status(app, globals);
    add_delivery(app, globals);
    add_notifications(app, globals);
    add_dead(app, globals);
    add_verify(app, globals);
    add_cancel(app, globals);
    add_suppress(app, globals);
    add_config(app, globals);
    add_db(app, globals);
    add_topics(app, globals);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& fault) {
        return app.exit(fault) == 0 ? exit_ok : exit_usage;
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
