#include "cli/given.hpp"

#include "cli/known_words.hpp"
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

std::string misspelt_command(const CLI::App& app, int argc, char** argv) {
    const CLI::App* group = &app;
    std::string place;
    for (int i = 1; i < argc; ++i) {
        const std::string word{argv[i]};
        if (word == "-c" || word == "--config") ++i;
        if (word.starts_with('-')) {
            if (group != &app && word != "-c" && word != "--config") break;  // Its own option.
            continue;
        }
        std::vector<std::string> known;
        const CLI::App* next = nullptr;
        for (const auto* const each : group->get_subcommands({})) {
            known.push_back(each->get_name());
            if (each->get_name() == word) next = each;
        }
        if (next == nullptr) return unknown_command(place, word, known);
        group = next;
        place += (place.empty() ? "" : " ") + word;
        if (group->get_subcommands({}).empty()) break;
    }
    return {};
}

}  // namespace fanfare::cli
