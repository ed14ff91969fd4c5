#pragma once

#include "core/rendering/template_files.hpp"
#include "core/settings/problem.hpp"

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace fanfare {

/// The folder of layouts and of the words that all messages share.
inline constexpr std::string_view layouts_folder{"_layout"};

/// True for what expand_messages() reads: files of layouts_folder, and YAML in any folder.
[[nodiscard]] bool is_of_a_layout(std::string_view path);

/// Writes out the messages that are given as a layout and strings, as the templates they stand for
/// (docs/templates.md). A folder holds message.yaml, which names its layout, and one file of
/// strings a locale. Pure; each problem names its file and line.
///
/// What is written remembers where it comes from (TemplateSource::pieces).
[[nodiscard]] std::vector<TemplateSource> expand_messages(std::span<const TemplateSource> files,
                                                          const std::filesystem::path& origin,
                                                          Problems& problems);

}  // namespace fanfare
