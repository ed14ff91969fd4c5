#pragma once

#include <string>
#include <string_view>

namespace fanfare::console {

/// A file of this folder as it was when this was built: "jobs.html", "console.css". It must exist.
[[nodiscard]] const std::string& asset(std::string_view name);

/// Of the style and the script: another one means others.
[[nodiscard]] const std::string& assets_version();

}  // namespace fanfare::console
