#pragma once

#include "core/rendering/program.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

inline constexpr std::size_t source_bytes_max = 131'072;  // Of one part.
inline constexpr std::size_t sections_max = 64;           // Of one part; bounds recursion.
inline constexpr std::size_t names_max = 256;             // Of the parts of one locale.

/// Parses mustache and checks everything that can be told without values. Names of
/// variables are appended to `names`, which the parts of one locale share.
[[nodiscard]] std::variant<Program, std::vector<Complaint>> compile(
    std::string_view source, PartForm form, std::vector<std::string>& names);

}  // namespace fanfare
