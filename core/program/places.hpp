#pragma once

#include <filesystem>
#include <string>

/// Where an installed program finds what was installed with it: beside itself, so that it may be
/// installed anywhere, and moved.
namespace fanfare {

/// The folder of what all programs share (migrations, examples); empty where this program was not
/// installed, but is run from where it was built.
[[nodiscard]] std::filesystem::path shared_folder();

/// The settings file of an installed program: that of the system, whatever the working folder is.
/// Else the one of a checkout.
[[nodiscard]] std::string default_settings_file();

/// The same for a program at `program`.
[[nodiscard]] std::filesystem::path shared_folder(const std::filesystem::path& program);
[[nodiscard]] std::string default_settings_file(const std::filesystem::path& program);

}  // namespace fanfare
