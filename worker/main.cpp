#include "core/kafka/client.hpp"
#include "core/ledger/advice.hpp"
#include "core/ledger/compat.hpp"
#include "core/observe/log.hpp"
#include "core/program/command_line.hpp"
#include "core/settings/start_up.hpp"
#include "core/time_zones/time_zone.hpp"
#include "worker/worker.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>

int main(int argc, char** argv) {
    fanfare::forbid_core_dumps();
    const auto config = fanfare::read_command_line(
        argc, argv, "Plans notification jobs into chunks, sends them, and records every outcome.");
    if (const auto* const code = std::get_if<int>(&config)) return *code;
    const auto& file = std::get<std::string>(config);

    mallopt(M_ARENA_MAX, 2);  // A few threads share few arenas: memory stays flat.
    const auto environment = fanfare::process_environment();
    auto settings = fanfare::loaded_or_printed(fanfare::load_settings(file, environment));
    if (!settings) return fanfare::exit_code_of_settings(file);
    if (settings->observe.core_dumps) fanfare::allow_core_dumps();
    auto systems =
        fanfare::loaded_or_printed(fanfare::load_systems(settings->systems_dir, environment));
    auto templates = fanfare::loaded_or_printed(fanfare::Templates::load(settings->templates_dir));
    if (!systems || !templates) return fanfare::exit_config;

    fanfare::start_log("fanfare-worker", settings->observe);
    spdlog::info("time zones: tzdata {}", fanfare::time_zone_data_version());
    for (const auto& each : fanfare::ledger::advice(*settings, *systems)) {
        spdlog::warn("{}", describe(each));
    }
    if (auto fit = fanfare::ledger::check_fit(settings->database.url); !fit) {
        spdlog::critical("{}", describe(fit.error()));
        return fanfare::exit_config;
    }
    fanfare::Shutdown shutdown;
    auto worker = fanfare::Worker::open(
        {std::move(*settings), std::move(*systems), std::move(*templates)}, shutdown);
    if (!worker) {
        spdlog::critical("{}", describe(worker.error()));
        return worker.error().code == fanfare::Errc::config_invalid ? fanfare::exit_config
                                                                    : fanfare::exit_unavailable;
    }
    const int code = worker.value()->run();
    worker.value().reset();
    return shutdown.finish(code, fanfare::kafka::still_closing() > 0);
}
