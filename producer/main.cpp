#include "core/kafka/client.hpp"
#include "core/ledger/advice.hpp"
#include "core/ledger/compat.hpp"
#include "core/observe/log.hpp"
#include "core/program/command_line.hpp"
#include "core/settings/start_up.hpp"
#include "core/time_zones/time_zone.hpp"
#include "producer/producer.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>

int main(int argc, char** argv) {
    fanfare::forbid_core_dumps();
    const auto config = fanfare::read_command_line(
        argc, argv, "Finds the notifications that are due and publishes their jobs.");
    if (const auto* const code = std::get_if<int>(&config)) return *code;
    const auto& file = std::get<std::string>(config);

    mallopt(M_ARENA_MAX, 2);  // A few threads share few arenas: memory stays flat.
    const auto environment = fanfare::process_environment();
    auto settings = fanfare::loaded_or_printed(fanfare::load_settings(file, environment));
    if (!settings) return fanfare::exit_code_of_settings(file);
    if (settings->observe.core_dumps) fanfare::allow_core_dumps();
    auto systems =
        fanfare::loaded_or_printed(fanfare::load_systems(settings->systems_dir, environment));
    if (!systems) return fanfare::exit_config;

    fanfare::start_log("fanfare-producer", settings->observe);
    spdlog::info("time zones: tzdata {}", fanfare::time_zone_data_version());
    for (const auto& each : fanfare::ledger::advice(*settings, *systems)) {
        spdlog::warn("{}", describe(each));
    }
    if (auto fit = fanfare::ledger::check_fit(settings->database.url); !fit) {
        spdlog::critical("{}", describe(fit.error()));
        return fanfare::exit_config;
    }
    fanfare::Shutdown shutdown;
    auto producer =
        fanfare::ProducerProgram::open({std::move(*settings), std::move(*systems)}, shutdown);
    if (!producer) {
        spdlog::critical("{}", describe(producer.error()));
        return producer.error().code == fanfare::Errc::config_invalid ? fanfare::exit_config
                                                                      : fanfare::exit_unavailable;
    }
    const int code = producer.value()->run();
    producer.value().reset();
    return shutdown.finish(code, fanfare::kafka::still_closing() > 0);
}
