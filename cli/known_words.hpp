#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli {

/// What to say of a word that is none of the commands: "unknown command stauts; did you mean
/// fanfare status?". `group` is the command that it stands behind, "" for none.
[[nodiscard]] std::string unknown_command(std::string_view group, std::string_view word,
                                          const std::vector<std::string>& known);

}  // namespace fanfare::cli
