#include "core/observe/log.hpp"
#include "producer/producer.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

constexpr int exit_config = 78;  // EX_CONFIG
constexpr int exit_unavailable = 69;

/// Prints every problem at once; true when there was none.
bool accept(const fanfare::Problems& problems) {
    for (const auto& problem : problems) fmt::print(stderr, "{}\n", describe(problem));
    return problems.empty();
}

template <class T>
std::optional<T> take(std::variant<T, fanfare::Problems> loaded) {
    if (const auto* problems = std::get_if<fanfare::Problems>(&loaded)) {
        accept(*problems);
        return std::nullopt;
    }
    return std::move(std::get<T>(loaded));
}

}  // namespace

int main(int argc, char** argv) {
    std::string config = "config/fanfare.yaml";
    CLI::App app{"Finds the notifications that are due and publishes their jobs."};
    app.add_option("-c,--config", config, "Settings file; FANFARE_... variables override its keys")
        ->capture_default_str();
    app.set_version_flag("--version", FANFARE_VERSION);
    CLI11_PARSE(app, argc, argv);

    mallopt(M_ARENA_MAX, 2);  // A few threads share few arenas: memory stays flat.
    const auto environment = fanfare::process_environment();
    auto settings = take(fanfare::load_settings(config, environment));
    if (!settings) return exit_config;
    auto systems = take(fanfare::load_systems(settings->systems_dir, environment));
    if (!systems) return exit_config;

    fanfare::start_log("fanfare-producer", settings->observe);
    auto producer = fanfare::Producer::open({std::move(*settings), std::move(*systems)});
    if (!producer) {
        spdlog::critical("{}", describe(producer.error()));
        return producer.error().code == fanfare::Errc::config_invalid ? exit_config
                                                                      : exit_unavailable;
    }
    return producer.value()->run();
}
