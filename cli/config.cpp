// config: what a person sets up, checked as a whole.
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/query_checks.hpp"
#include "core/audience/channels.hpp"
#include "core/ledger/advice.hpp"
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
            if (systems) append(warnings_, ledger::advice(*settings, *systems));
            if (systems && templates) check_kinds(*settings, *systems, *templates);
            if (with_database) check_durability(*settings);
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
    static void append(Problems& all, const Problems& more) {
        all.insert(all.end(), more.begin(), more.end());
    }

    template <class T>
    std::optional<T> take(std::variant<T, Problems> loaded) {
        if (auto* const problems = std::get_if<Problems>(&loaded)) {
            append(problems_, *problems);
            return std::nullopt;
        }
        return std::move(std::get<T>(loaded));
    }

    void check_accounts(const Settings& settings) {
        for (const auto& account : settings.accounts) {
            auto made = make_provider(account, {.callback_url = settings.callback_url});
            if (auto* const problems = std::get_if<Problems>(&made)) {
                append(problems_, *problems);
            }
        }
    }

    /// What the ledger's server is set to; that it does not answer is told with the queries.
    void check_durability(const Settings& settings) {
        auto found = Ledger{settings}.attempt("look at its settings", ledger::durability_problems);
        if (found) append(problems_, found.value());
        if (found) return;
        problems_.push_back({settings.file.string(), 0, "database.url", "",
                             fmt::format("a database that answers: {}", found.error().doing), 0});
    }

    void check_kinds(const Settings& settings, const Systems& systems, const Templates& templates) {
        for (const auto& [name, system] : systems) {
            const auto file = (settings.systems_dir / name / "system.yaml").string();
            for (const auto& [kind_name, kind] : system.kinds) {
                Job usual;
                usual.channels = kind.channels;
                for (const auto channel : channels_used(usual, kind)) {
                    const bool is_own = std::find(kind.channels.begin(), kind.channels.end(),
                                                  channel) != kind.channels.end();
                    auto key =
                        fmt::format("kinds.{}.{}", kind_name, is_own ? "channels" : "fallback");
                    check_channel({file, 0, std::move(key), std::string{to_string(channel)}, {}, 0},
                                  settings, templates.has(kind.templates, channel), channel,
                                  kind.templates);
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
        for (const auto& problem : problems_) add(records, problem, "error");
        for (const auto& warning : warnings_) add(records, warning, "warning");
        if (globals_.json) {
            print(records, true, "");
            return;
        }
        for (const auto& problem : problems_) print_error(describe(problem));
        for (const auto& warning : warnings_) print_error("warning: " + describe(warning));
        if (problems_.empty()) {
            fmt::print("{}: everything is in order\n", printable(globals_.config));
        } else {
            print_error(fmt::format("{} problems", problems_.size()));
        }
    }

    static void add(std::vector<Record>& records, const Problem& problem, const char* level) {
        records.push_back({{"level", std::string{level}},
                           {"file", problem.file},
                           {"line", std::int64_t{problem.line}},
                           {"key", problem.key},
                           {"value", problem.value},
                           {"expected", problem.expected}});
    }

    const Globals& globals_;
    Problems problems_;
    Problems warnings_;  // Allowed, and unwise.
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
