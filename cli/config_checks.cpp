#include "cli/config_checks.hpp"

#include "cli/contact_advice.hpp"
#include "cli/query_checks.hpp"
#include "core/audience/channels.hpp"
#include "core/kafka/topic_admin.hpp"
#include "core/ledger/advice.hpp"
#include "core/orders/template_advice.hpp"
#include "core/providers/registry.hpp"
#include "core/rendering/templates.hpp"
#include "core/settings/folders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace fanfare::cli {
namespace {

/// Gathers every problem before it tells one.
class Checker {
public:
    explicit Checker(const Globals& globals) : globals_{globals} {}

    ConfigFound run(const ConfigAsked& asked) {
        auto settings = take(load_settings(globals_.config, process_environment()));
        auto systems = take_folders(settings);
        if (settings) {
            check_accounts(*settings);
            if (systems) append(warnings_, ledger::advice(*settings, *systems));
            if (asked.database) check_durability(*settings);
            if (asked.kafka) check_topics(*settings);
            if (systems && asked.database) {
                for (const auto& [name, system] : *systems) {
                    check_queries(system, *settings, problems_, warnings_);
                }
            }
        }
        return {std::move(problems_), std::move(warnings_), std::move(settings),
                std::move(systems)};
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

    /// Systems and templates, also where the settings are not sound: mistakes are mended in one go.
    std::optional<Systems> take_folders(const std::optional<Settings>& settings) {
        const auto folders = find_folders(globals_.config, process_environment());
        if (!settings && !std::filesystem::is_directory(folders.systems)) return std::nullopt;
        auto systems = take(load_systems(folders.systems, process_environment()));
        if (!settings && !std::filesystem::is_directory(folders.templates)) return systems;
        const auto templates = take(Templates::load(folders.templates));
        if (!systems || !templates) return systems;
        for (const auto& [name, system] : *systems) {
            append(warnings_, contact_advice(system));
            for (const auto& [kind_name, kind] : system.kinds) {
                append(warnings_, template_advice(system, kind, *templates));
            }
        }
        if (settings) check_kinds(*settings, *systems, *templates);
        return systems;
    }

    /// Whose clock counts for how long a job lives.
    void check_topics(const Settings& settings) {
        const auto topics = kafka::look_at_topics(settings.kafka);
        if (!topics) {
            problems_.push_back({settings.file.string(), 0, "kafka.brokers", settings.kafka.brokers,
                                 fmt::format("a broker that answers: {}", topics.error().doing),
                                 0});
            return;
        }
        const auto warn = [&](const kafka::TopicState& topic, std::string found,
                              std::string expected) {
            warnings_.push_back({settings.file.string(), 0, "topic " + topic.name, std::move(found),
                                 std::move(expected), 0});
        };
        for (const auto& topic : topics.value()) {
            if (topic.partitions == 0) {
                warn(topic, "(not there)", "a topic; fanfare topics creates it");
                continue;
            }
            if (topic.is_stamped_by_publishers) {
                warn(topic, "message.timestamp.type=CreateTime",
                     "LogAppendTime: a publisher whose clock is behind makes its jobs expire too "
                     "soon (kafka-configs --alter --entity-type topics)");
            }
            const auto most = topic.record_bytes_max;
            if (most > 0 && most < kafka::record_bytes_wanted) {
                warn(
                    topic, fmt::format("max.message.bytes={}", most),
                    fmt::format("at least {}: the broker takes no larger job, which is then "
                                "refused as too_large (kafka-configs --alter --entity-type topics)",
                                kafka::record_bytes_wanted));
            }
        }
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
        auto found = Ledger{settings, Ledger::Fit::any}.attempt("look at its settings",
                                                                ledger::durability_problems);
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

    const Globals& globals_;
    Problems problems_;
    Problems warnings_;  // Allowed, and unwise.
};

}  // namespace

ConfigFound check_config(const Globals& globals, const ConfigAsked& asked) {
    return Checker{globals}.run(asked);
}

}  // namespace fanfare::cli
