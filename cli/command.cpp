#include "cli/command.hpp"

#include "core/ledger/compat.hpp"
#include "core/postgres/address.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace fanfare::cli {
namespace {

std::string to_lines(const Problems& problems) {
    std::string all;
    for (const auto& problem : problems) all += (all.empty() ? "" : "\n") + describe(problem);
    return all;
}

template <class T>
T loaded_or_stop(std::variant<T, Problems> loaded, int code = exit_config) {
    if (const auto* const problems = std::get_if<Problems>(&loaded)) {
        throw Stop{code, *problems};
    }
    return std::move(std::get<T>(loaded));
}

std::string_view remedy_for(Errc code) {
    switch (code) {
        case Errc::store_unavailable:
            return "is PostgreSQL up, and is database.url right?";
        case Errc::store_rejected:
            return "is the ledger there? Try: fanfare db migrate";
        case Errc::kafka_unavailable:
        case Errc::kafka_unusable:
            return "is Kafka up, and is kafka.brokers right?";
        case Errc::kafka_too_large:
            return "it is larger than the topic's max.message.bytes";
        case Errc::store_timeout:
        case Errc::store_conflict:
        case Errc::commit_in_doubt:
            return "run it again; it is safe to";
        case Errc::config_invalid:
        case Errc::store_data:
        case Errc::job_malformed:
        case Errc::job_rejected:
        case Errc::template_invalid:
        case Errc::http_unavailable:
        case Errc::credential_refused:
        case Errc::stopping:
            break;
    }
    return {};
}

}  // namespace

Stop::Stop(int code, const Problems& problems)
    : std::runtime_error{to_lines(problems)}, exit_code{code} {}

Settings load_settings_or_stop(const Globals& globals) {
    return loaded_or_stop(load_settings(globals.config, process_environment()),
                          exit_code_of_settings(globals.config));
}

Systems load_systems_or_stop(const Settings& settings) {
    return loaded_or_stop(load_systems(settings.systems_dir, process_environment()));
}

Templates load_templates_or_stop(const Settings& settings) {
    return loaded_or_stop(Templates::load(settings.templates_dir));
}

const AccountSettings& account_or_stop(const Settings& settings, const std::string& name) {
    std::string known;
    for (const auto& account : settings.accounts) {
        if (account.name == name) return account;
        known += (known.empty() ? "" : ", ") + account.name;
    }
    throw Stop{exit_rejected, fmt::format("account {}: there is none", name), "one of " + known};
}

std::ifstream open_or_stop(const std::string& file) {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        throw Stop{exit_no_input, fmt::format("{} is a directory", file)};
    }
    std::ifstream stream{file, std::ios::binary};
    if (!stream) throw Stop{exit_no_input, fmt::format("{} cannot be read", file)};
    return stream;
}

Stop stop_for(const Failure& failure) {
    const int code = failure.code == Errc::config_invalid ? exit_config
                     : failure.code == Errc::job_malformed || failure.code == Errc::job_rejected ||
                             failure.code == Errc::kafka_too_large
                         ? exit_rejected
                         : exit_unavailable;
    return {code, to_sentence(failure), std::string{remedy_for(failure.code)}};
}

void Ledger::expect_fit(postgres::Connection& connection) const {
    const auto why = ledger::unfitness(connection);
    if (why.empty()) return;
    throw Stop{exit_config,
               fmt::format("the ledger at {}: {}", postgres::parse_address(url_).text(), why)};
}

std::string somebody() {
    const char* const name = std::getenv("USER");
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return fmt::format("{}@{}", name != nullptr && *name != '\0' ? name : "cli", host.data());
}

std::optional<TimePoint> moment_or_stop(const char* flag, const std::string& text) {
    if (text.empty()) return std::nullopt;
    const auto moment = parse_timestamp(text);
    if (!moment) {
        throw Stop{exit_usage, fmt::format("{} {}: no moment", flag, text),
                   "write ISO 8601 with a zone, such as 2026-11-28T09:30:00Z"};
    }
    return moment;
}

void choose(const Command& command, Globals& globals, std::function<int()> action) {
    command.given([&globals, action = std::move(action)] { globals.chosen = action; });
}

}  // namespace fanfare::cli
