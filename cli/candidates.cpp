#include "cli/candidates.hpp"

#include "core/domain/vocabulary.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace fanfare::cli {
namespace {

/// A group of options is a command without a name.
bool is_command(const CLI::App& command) { return !command.get_name().empty(); }
bool is_shown(const CLI::App& command) {
    return is_command(command) && !command.get_group().empty();
}

std::vector<const CLI::Option*> list_own_options(const CLI::App& command) {
    auto all = command.get_options();
    for (const auto* const each : command.get_subcommands({})) {
        if (is_command(*each)) continue;
        const auto more = list_own_options(*each);
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

/// Global options may stand anywhere, so every command has those of the program too.
std::vector<const CLI::Option*> list_options(const CLI::App& app, const CLI::App& command) {
    auto all = list_own_options(command);
    if (&command == &app) return all;
    for (const auto* const option : app.get_options()) {
        const bool is_known = std::any_of(all.begin(), all.end(), [&](const auto* const own) {
            return own->get_name() == option->get_name();
        });
        if (!is_known && option != app.get_version_ptr()) all.push_back(option);
    }
    return all;
}

std::vector<std::string> list_names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_lnames()) names.push_back("--" + name);
    if (!names.empty()) return names;
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    return names;
}

/// Where the words so far lead.
struct Place {
    const CLI::App* command;
    const CLI::Option* wants_value = nullptr;
};

Place locate(const CLI::App& app, const std::vector<std::string>& words) {
    Place place{&app};
    for (const auto& word : words) {
        if (word == "=") continue;  // Bash cuts --option=value into three.
        if (place.wants_value != nullptr) {
            place.wants_value = nullptr;
            continue;
        }
        if (word.starts_with('-')) {
            for (const auto* const option : list_options(app, *place.command)) {
                const bool takes_one = option->get_items_expected_max() > 0;
                if (takes_one && option->check_name(word)) place.wants_value = option;
            }
            continue;
        }
        for (const auto* const each : place.command->get_subcommands({})) {
            if (each->get_name() != word) continue;
            place.command = each;
            break;
        }
    }
    return place;
}

template <class Words>
std::vector<Candidate> to_candidates(const Words& words) {
    std::vector<Candidate> all;
    for (const auto word : words) all.push_back({std::string{to_string(word)}, {}});
    return all;
}

/// The words of a closed list that an option takes.
std::vector<Candidate> list_values(const CLI::Option& option) {
    if (option.check_lname("channel")) return to_candidates(channels);
    if (option.check_lname("lane")) return to_candidates(lanes);
    return {};
}

}  // namespace

std::vector<Candidate> candidates(const CLI::App& app, const std::vector<std::string>& words) {
    auto before = words;
    std::string begun;
    if (!before.empty()) {
        begun = before.back() == "=" ? "" : before.back();
        before.pop_back();
    }
    const auto place = locate(app, before);
    std::vector<Candidate> all;
    if (place.wants_value != nullptr) {
        all = list_values(*place.wants_value);
    } else if (begun.starts_with('-')) {
        for (const auto* const option : list_options(app, *place.command)) {
            for (const auto& name : list_names(*option)) {
                all.push_back({name, option->get_description()});
            }
        }
    } else {
        for (const auto* const each : place.command->get_subcommands({})) {
            if (is_shown(*each)) all.push_back({each->get_name(), each->get_description()});
        }
    }
    std::erase_if(all, [&](const Candidate& each) { return !each.word.starts_with(begun); });
    return all;
}

}  // namespace fanfare::cli
