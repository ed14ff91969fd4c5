#pragma once

#include "core/program/exit_codes.hpp"

#include <filesystem>
#include <string>
#include <variant>

/// The command line that the worker and the producer share.
namespace fanfare {

/// Names the settings file where -c does not.
inline constexpr const char* config_variable = "FANFARE_CONFIG";

/// The settings file that the command line or FANFARE_CONFIG names; or the code to end with, after
/// --help, --version or a mistake.
[[nodiscard]] std::variant<std::string, int> read_command_line(int argc, char** argv,
                                                               const std::string& about);

/// What to end with where a settings file is not sound: that it is not there is another mistake
/// than one that stands in it.
[[nodiscard]] int exit_code_of_settings(const std::filesystem::path& file);

}  // namespace fanfare
