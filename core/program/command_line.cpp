#include "core/program/command_line.hpp"

#include "core/program/commands.hpp"
#include "core/program/places.hpp"
#include "core/program/version.hpp"

#include <fstream>
#include <system_error>

namespace fanfare {

std::variant<std::string, int> read_command_line(int argc, char** argv, const std::string& about) {
    auto config = default_settings_file();
    CommandLine line{about};
    line.root()
        .option("-c,--config", config, "Settings file; FANFARE_... variables override its keys")
        .from_environment(config_variable)
        .shows_default();
    line.version(version());
    line.footer(
        "Exit codes: 0 ended as asked, 64 usage, 66 no such settings file, 69 unavailable, "
        "78 configuration.");
    if (const auto code = line.read(argc, argv)) return *code;
    return config;
}

int exit_code_of_settings(const std::filesystem::path& file) {
    std::error_code ignored;
    const bool is_there =
        std::filesystem::is_regular_file(file, ignored) && std::ifstream{file}.is_open();
    return is_there ? exit_config : exit_no_input;
}

}  // namespace fanfare
