#include "core/program/command_line.hpp"

#include "core/program/places.hpp"
#include "core/program/version.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <system_error>

namespace fanfare {

std::variant<std::string, int> read_command_line(int argc, char** argv, const std::string& about) {
    auto config = default_settings_file();
    CLI::App app{about};
    app.add_option("-c,--config", config, "Settings file; FANFARE_... variables override its keys")
        ->envname(config_variable)
        ->capture_default_str();
    app.set_version_flag("--version", version());
    app.footer(
        "Exit codes: 0 ended as asked, 64 usage, 66 no such settings file, 69 unavailable, "
        "78 configuration.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& fault) {
        return app.exit(fault) == 0 ? exit_ok : exit_usage;
    }
    return config;
}

int exit_code_of_settings(const std::filesystem::path& file) {
    std::error_code ignored;
    const bool is_there =
        std::filesystem::is_regular_file(file, ignored) && std::ifstream{file}.is_open();
    return is_there ? exit_config : exit_no_input;
}

}  // namespace fanfare
