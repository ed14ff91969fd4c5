#pragma once

#include "core/settings/settings.hpp"

#include <filesystem>

namespace fanfare {

/// Where systems and templates stand, also where other settings are wrong, so that all mistakes can
/// be told in one go. Empty where nobody can read it.
struct Folders {
    std::filesystem::path systems;
    std::filesystem::path templates;
};
[[nodiscard]] Folders find_folders(const std::filesystem::path& file,
                                   const Environment& environment);

}  // namespace fanfare
