#include "cli/given.hpp"

#include "core/audience/clean.hpp"
#include "core/domain/utf8.hpp"

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

bool is_unreadable(const CLI::Option& option) {
    const auto& values = option.results();
    return !std::all_of(values.begin(), values.end(), [](const auto& v) { return is_utf8(v); });
}

/// What scripts of shells ask may be empty: a word that is not begun.
bool is_asked_by_scripts(const CLI::App& command) {
    return !command.get_name().empty() && command.get_group().empty();
}

/// "--x is given, but <what>" of the first option that is so; "" where none is.
std::string first_that(const CLI::App& app, bool (*is_so)(const CLI::Option&),
                       std::string_view what) {
    if (is_asked_by_scripts(app)) return {};
    for (const auto* const option : app.parse_order()) {
        if (is_so(*option)) return fmt::format("{} is given, but {}", option->get_name(), what);
    }
    for (const auto* const each : app.get_subcommands({})) {
        if (auto sentence = first_that(*each, is_so, what); !sentence.empty()) return sentence;
    }
    return {};
}

}  // namespace

std::string empty_option(const CLI::App& app) { return first_that(app, is_empty, "empty"); }

std::string unreadable_option(const CLI::App& app) {
    return first_that(app, is_unreadable, "no UTF-8 text");
}

}  // namespace fanfare::cli
