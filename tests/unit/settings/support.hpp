#pragma once

#include "core/settings/settings.hpp"
#include "core/wire/job.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <variant>

namespace fanfare::testing {

/// An environment of these variables and no others.
inline Environment environment_of(std::map<std::string, std::string> variables) {
    return [variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
}

/// The least that settings need.
inline Environment ledger_environment(std::map<std::string, std::string> more = {}) {
    more.emplace("FANFARE_DATABASE_URL", "postgresql:///fanfare");
    return environment_of(std::move(more));
}

inline std::string file_text(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

template <class Loaded>
Problems problems_of(const std::variant<Loaded, Problems>& loaded) {
    const auto* const problems = std::get_if<Problems>(&loaded);
    return problems == nullptr ? Problems{} : *problems;
}

/// One problem by the parts a person reads.
MATCHER_P4(IsProblem, line, key, value, expected, "") {
    *result_listener << describe(arg);
    return arg.line == line && arg.key == key && arg.value == value &&
           arg.expected.find(expected) != std::string::npos;
}

}  // namespace fanfare::testing

namespace fanfare {

inline void PrintTo(const Problem& problem, std::ostream* out) { *out << describe(problem); }
inline void PrintTo(const Rejection& rejection, std::ostream* out) {
    *out << rejection.code << ": " << rejection.message;
}

}  // namespace fanfare
