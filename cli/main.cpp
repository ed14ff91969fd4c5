#include "cli/command.hpp"
#include "cli/given.hpp"
#include "cli/output.hpp"
#include "core/program/version.hpp"
#include "core/settings/start_up.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    using namespace fanfare;
    using namespace fanfare::cli;
    forbid_core_dumps();
    Globals globals;
    CommandLine line{
        "Tells every follower, once: publish jobs, watch them, ask what became of them."};
    const auto app = line.root();
    app.option("-c,--config", globals.config,
               "Settings file; FANFARE_... variables override its keys")
        .from_environment(config_variable)
        .shows_default();
    app.flag("--json", globals.json, "Answer in JSON, one object a line");
    line.version(version());
    app.needs_command();
    line.options_anywhere();
    line.footer(
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
    if (const auto sentence = misspelt_command(app.app(), argc, argv); !sentence.empty()) {
        print_error(sentence);
        return exit_usage;
    }
    if (const auto code = line.read(argc, argv)) return *code;
    for (const auto& sentence : {empty_option(app.app()), unreadable_option(app.app())}) {
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
