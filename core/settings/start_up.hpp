#pragma once

#include "core/program/exit_codes.hpp"
#include "core/settings/problem.hpp"

#include <cstdio>
#include <optional>
#include <utility>
#include <variant>

/// What every program does with its configuration before anything starts.
namespace fanfare {

/// The system writes no core of this process: it would hold secrets and addresses. Said before
/// anything is read.
void forbid_core_dumps();
/// As it was before, where the settings ask for it.
void allow_core_dumps();

/// What was loaded; or nothing, when there were problems: all of them are printed then.
template <class T>
[[nodiscard]] std::optional<T> loaded_or_printed(std::variant<T, Problems> loaded) {
    if (const auto* problems = std::get_if<Problems>(&loaded)) {
        for (const auto& problem : *problems) {
            std::fputs((describe(problem) + "\n").c_str(), stderr);
        }
        return std::nullopt;
    }
    return std::move(std::get<T>(loaded));
}

}  // namespace fanfare
