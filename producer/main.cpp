#include "core/kafka/client.hpp"
#include "core/ledger/advice.hpp"
#include "core/observe/log.hpp"
#include "core/settings/start_up.hpp"
#include "producer/producer.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
    fanfare::forbid_core_dumps();
    std::string config = "config/fanfare.yaml";
    CLI::App app{"Finds the notifications that are due and publishes their jobs."};
    app.add_option("-c,--config", config, "Settings file; FANFARE_... variables override its keys")
        ->capture_default_str();
    app.set_version_flag("--version", FANFARE_VERSION);
    CLI11_PARSE(app, argc, argv);

    mallopt(M_ARENA_MAX, 2);  // A few threads share few arenas: memory stays flat.
    const auto environment = fanfare::process_environment();
    auto settings = fanfare::loaded_or_printed(fanfare::load_settings(config, environment));
    if (!settings) return fanfare::exit_config;
    if (settings->observe.core_dumps) fanfare::allow_core_dumps();
    auto systems =
        fanfare::loaded_or_printed(fanfare::load_systems(settings->systems_dir, environment));
    if (!systems) return fanfare::exit_config;

    fanfare::start_log("fanfare-producer", settings->observe);
    for (const auto& each : fanfare::ledger::advice(*settings, *systems)) {
        spdlog::warn("{}", describe(each));
    }
    fanfare::Shutdown shutdown;
    auto producer = fanfare::Producer::open({std::move(*settings), std::move(*systems)}, shutdown);
    if (!producer) {
        spdlog::critical("{}", describe(producer.error()));
        return producer.error().code == fanfare::Errc::config_invalid ? fanfare::exit_config
                                                                      : fanfare::exit_unavailable;
    }
    const int code = producer.value()->run();
    producer.value().reset();
    return shutdown.finish(code, fanfare::kafka::still_closing() > 0);
}
