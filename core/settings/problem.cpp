#include "core/settings/problem.hpp"

#include "core/domain/printable.hpp"

#include <fmt/format.h>

namespace fanfare {

namespace {

std::string to_place(const Problem& problem) {
    auto place = problem.file;
    if (problem.line > 0) place += fmt::format(":{}", problem.line);
    if (problem.column > 0) place += fmt::format(":{}", problem.column);
    return place;
}

}  // namespace

std::string describe(const Problem& problem) {
    const auto found = problem.value.empty() ? std::string{" is missing"} : " = " + problem.value;
    return printable(fmt::format("{}: {}{}: expected {}", to_place(problem), problem.key, found,
                                 problem.expected));
}

std::string for_log(const Problem& problem) {
    return printable(
        fmt::format("{}: {}: expected {}", to_place(problem), problem.key, problem.expected));
}

}  // namespace fanfare
