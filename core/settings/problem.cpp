#include "core/settings/problem.hpp"

#include <fmt/format.h>

namespace fanfare {

std::string describe(const Problem& problem) {
    auto place = problem.file;
    if (problem.line > 0) place += fmt::format(":{}", problem.line);
    if (problem.column > 0) place += fmt::format(":{}", problem.column);
    if (problem.value.empty()) {
        return fmt::format("{}: {} is missing: expected {}", place, problem.key, problem.expected);
    }
    return fmt::format("{}: {} = {}: expected {}", place, problem.key, problem.value,
                       problem.expected);
}

}  // namespace fanfare
