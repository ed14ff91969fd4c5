#include "cli/given.hpp"

#include "core/audience/clean.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

namespace fanfare::cli {
namespace {

/// A list that is cut at commas has none left of ",".
bool is_empty(const CLI::Option& option) {
    const auto& values = option.results();
    return values.empty() || std::any_of(values.begin(), values.end(), [](const auto& value) {
               return without_unseen_around(value).empty();
           });
}

/// What scripts of shells ask may be empty: a word that is not begun.
bool is_asked_by_scripts(const CLI::App& command) {
    return !command.get_name().empty() && command.get_group().empty();
}

}  // namespace

std::string empty_option(const CLI::App& app) {
    if (is_asked_by_scripts(app)) return {};
    for (const auto* const option : app.parse_order()) {
        if (is_empty(*option)) return fmt::format("{} is given, but empty", option->get_name());
    }
    for (const auto* const each : app.get_subcommands({})) {
        if (auto sentence = empty_option(*each); !sentence.empty()) return sentence;
    }
    return {};
}

}  // namespace fanfare::cli
