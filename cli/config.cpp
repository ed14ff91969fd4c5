// config: what a person sets up, checked as a whole.
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/query_checks.hpp"
#include "worker/providers/registry.hpp"
#include "worker/rendering/templates.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

namespace fanfare::cli {
namespace {

/// Gathers every problem before it tells one.
class Checker {
public:
    explicit Checker(const Globals& globals) : globals_{globals} {}

    int run(bool with_database) {
        auto settings = take(load_settings(globals_.config, process_environment()));
        if (settings) {
            auto systems = take(load_systems(settings->systems_dir, process_environment()));
            auto templates = take(Templates::load(settings->templates_dir));
            check_accounts(*settings);
            if (systems && templates) check_kinds(*settings, *systems, *templates);
            if (systems && with_database) {
                for (const auto& [name, system] : *systems) {
                    check_queries(system, *settings, problems_);
                }
            }
        }
        report();
        return problems_.empty() ? exit_ok : exit_config;
    }

private:
    template <class T>
    std::optional<T> take(std::variant<T, Problems> loaded) {
        if (auto* const problems = std::get_if<Problems>(&loaded)) {
            problems_.insert(problems_.end(), problems->begin(), problems->end());
            return std::nullopt;
        }
        return std::move(std::get<T>(loaded));
    }

    void check_accounts(const Settings& settings) {
        for (const auto& account : settings.accounts) {
            auto made = make_provider(account, {.callback_url = settings.callback_url});
            if (auto* const problems = std::get_if<Problems>(&made)) {
                problems_.insert(problems_.end(), problems->begin(), problems->end());
            }
        }
    }

    void check_kinds(const Settings& settings, const Systems& systems, const Templates& templates) {
        for (const auto& [name, system] : systems) {
            const auto file = (settings.systems_dir / name / "system.yaml").string();
            for (const auto& [kind_name, kind] : system.kinds) {
                const auto key = fmt::format("kinds.{}.channels", kind_name);
                for (const auto channel : kind.channels) {
                    check_channel({file, 0, key, std::string{to_string(channel)}, {}, 0}, settings,
                                  templates.has(kind.templates, channel), channel, kind.templates);
                }
            }
        }
    }

    void check_channel(Problem problem, const Settings& settings, bool has_templates,
                       Channel channel, const std::string& folder) {
        if (!has_templates) {
            problem.expected =
                fmt::format("a channel with templates; templates/{}/ has none for it", folder);
            problems_.push_back(problem);
        }
        const bool has_account =
            std::any_of(settings.accounts.begin(), settings.accounts.end(),
                        [channel](const auto& account) { return account.channel == channel; });
        if (has_account) return;
        problem.expected = fmt::format("a channel with an account; accounts in {} has none for it",
                                       settings.file.string());
        problems_.push_back(problem);
    }

    void report() const {
        std::vector<Record> records;
        for (const auto& problem : problems_) {
            if (!globals_.json) fmt::print(stderr, "{}\n", describe(problem));
            records.push_back({{"file", problem.file},
                               {"line", std::int64_t{problem.line}},
                               {"key", problem.key},
                               {"value", problem.value},
                               {"expected", problem.expected}});
        }
        if (globals_.json) {
            print(records, true, "");
        } else if (problems_.empty()) {
            fmt::print("{}: everything is in order\n", globals_.config);
        } else {
            fmt::print(stderr, "{} problems\n", problems_.size());
        }
    }

    const Globals& globals_;
    Problems problems_;
};

int keys(const Globals& globals) {
    std::vector<Record> records;
    for (const auto& doc : setting_docs()) {
        records.push_back({{"key", doc.key},
                           {"default", doc.default_value},
                           {"unit", doc.unit},
                           {"bounds", doc.bounds},
                           {"doc", doc.doc}});
    }
    print(records, globals.json, "");
    return exit_ok;
}

}  // namespace

void add_config(CLI::App& app, Globals& globals) {
    auto* const command = app.add_subcommand("config", "Settings, systems, templates, accounts");
    command->require_subcommand(1);
    auto* const check = command->add_subcommand("check", "Find every mistake at once");
    auto database = std::make_shared<bool>(false);
    check->add_flag("--database", *database, "Try the queries on their databases too");
    check->callback([&globals, database] {
        globals.chosen = [&globals, database] { return Checker{globals}.run(*database); };
    });
    auto* const list = command->add_subcommand("keys", "Every key of the settings file");
    list->callback([&globals] { globals.chosen = [&globals] { return keys(globals); }; });
}

}  // namespace fanfare::cli
