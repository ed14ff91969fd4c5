#include "cli/doctor_checks.hpp"

#include "cli/output.hpp"
#include "core/kafka/lag.hpp"
#include "core/kafka/topic_admin.hpp"
#include "core/ledger/account_states.hpp"
#include "core/ledger/compat.hpp"
#include "core/ledger/pauses.hpp"
#include "core/time_zones/time_zone.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <cmath>

namespace fanfare::cli {
namespace {

constexpr double skew_warned_s = 1;
constexpr double skew_wrong_s = 5;
constexpr std::int64_t lag_warned = 10'000;

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// What mends a problem of the configuration, as far as one command does.
std::string remedy_for(const Globals& globals, const Problem& problem) {
    const auto& key = problem.key;
    if (key.starts_with("topic ")) {
        if (problem.value == "(not there)") return "fanfare topics";
        return fmt::format(
            "kafka-configs --alter --entity-type topics --entity-name {} "
            "--add-config {}",
            key.substr(6),
            problem.value.starts_with("max.message.bytes")
                ? fmt::format("max.message.bytes={}", kafka::record_bytes_wanted)
                : "message.timestamp.type=LogAppendTime");
    }
    if (key == "kafka.brokers") {
        return fmt::format("start Kafka, or mend kafka.brokers in {}", globals.config);
    }
    if ((key == "database.url" || key == "(the ledger's database)") && problem.value.empty()) {
        return fmt::format("start PostgreSQL, or mend database.url in {}", globals.config);
    }
    if (key == "fsync" || key == "full_page_writes" || key == "synchronous_commit") {
        return fmt::format("ALTER SYSTEM SET {} = on; SELECT pg_reload_conf()  (as its superuser)",
                           key);
    }
    // A secret that is not where it is said to be: "{env: NAME}", "{file: PATH}".
    if (problem.value.starts_with("{env: ") && problem.value.ends_with('}')) {
        return fmt::format("export {}=...", problem.value.substr(6, problem.value.size() - 7));
    }
    if (problem.value.starts_with("{file: ") && problem.value.ends_with('}')) {
        return fmt::format("put the secret into {}",
                           problem.value.substr(7, problem.value.size() - 8));
    }
    if (problem.file.starts_with("environment ")) {
        return fmt::format("export {}=...", problem.file.substr(12));
    }
    const auto place =
        problem.line > 0 ? fmt::format("{}:{}", problem.file, problem.line) : problem.file;
    return fmt::format("mend {}, then: fanfare config check --database", place);
}

Finding of_problem(const Globals& globals, const Problem& problem, std::string_view level) {
    const bool missing = problem.value == "(not there)";  // Of a topic: nothing can be sent.
    auto found = problem.value.empty()
                     ? fmt::format("expected {}", problem.expected)
                     : fmt::format("{}: expected {}", problem.value, problem.expected);
    auto what = problem.key.empty() ? problem.file : problem.key;
    if (!missing && problem.line > 0) {
        what = fmt::format("{} ({}:{})", what, problem.file, problem.line);
    }
    return {missing ? "error" : level, std::move(what), std::move(found),
            remedy_for(globals, problem)};
}

void look_at_version(postgres::Connection& connection, Findings& findings) {
    const auto why = ledger::unfitness(connection);
    if (why.empty()) {
        findings.push_back({"ok", "ledger", "fits this program", ""});
        return;
    }
    const bool is_older = has(why, "fanfare db migrate") && !has(why, "incompatible");
    findings.push_back(
        {"error", "ledger", why,
         is_older ? "fanfare db migrate" : "install the version that migrated it last"});
}

void look_at_clock(postgres::Connection& connection, Findings& findings) {
    const auto before = system_clock().now();
    pqxx::nontransaction work{connection.raw()};
    // By the function that every statement of the ledger asks.
    const auto row = work.exec("SELECT (extract(epoch FROM app_now()) * 1000000)::bigint")[0];
    const auto after = system_clock().now();
    const TimePoint theirs{std::chrono::microseconds{row[0].as<std::int64_t>()}};
    const auto skew = std::chrono::duration<double>(theirs - before).count();
    const auto took = std::chrono::duration<double>(after - before).count();
    const double off = skew < 0 ? skew : std::max(0.0, skew - took);
    const auto found = fmt::format("the ledger's clock is {:+.1f} s from this machine's", off);
    if (std::abs(off) < skew_warned_s) {
        findings.push_back({"ok", "clock", found, ""});
        return;
    }
    findings.push_back({std::abs(off) < skew_wrong_s ? "warning" : "error", "clock", found,
                        "timedatectl set-ntp true  (here and on PostgreSQL's machine)"});
}

void look_at_pauses(postgres::Connection& connection, Findings& findings) {
    for (const auto& line : ledger::list_pauses(connection)) {
        findings.push_back(
            {"note", "paused", ledger::to_sentence(line),
             fmt::format("fanfare resume --{} {}", to_string(line.target.what), line.target.name)});
    }
}

/// Jobs that somebody has to see to.
void look_at_jobs(postgres::Connection& connection, Findings& findings) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec(
        "SELECT id, coalesce(failure, '') FROM job WHERE state IN ('planning', 'sending') "
        "AND plan_failures > 0 ORDER BY created_at LIMIT 5");
    for (const auto& row : rows) {
        findings.push_back({"warning", fmt::format("job {}", row[0].c_str()),
                            fmt::format("planning it keeps failing: {}", row[1].c_str()),
                            "fanfare config check --database"});
    }
}

}  // namespace

Findings of_config(const Globals& globals, const ConfigFound& found) {
    Findings findings;
    for (const auto& problem : found.problems) {
        findings.push_back(of_problem(globals, problem, "error"));
    }
    for (const auto& warning : found.warnings) {
        findings.push_back(of_problem(globals, warning, "warning"));
    }
    if (findings.empty()) {
        findings.push_back({"ok", "configuration",
                            "settings, systems, queries, templates, accounts and topics are sound",
                            ""});
    }
    return findings;
}

void look_at_ledger(const Settings& settings, Findings& findings) {
    Ledger ledger{settings, Ledger::Fit::any};
    const auto look = [&](auto& connection) {
        look_at_version(connection, findings);
        if (!ledger::unfitness(connection).empty()) return true;
        look_at_clock(connection, findings);
        look_at_pauses(connection, findings);
        look_at_jobs(connection, findings);
        return true;
    };
    // That it does not answer is told with the configuration.
    std::ignore = ledger.attempt("look at the ledger", look);
}

void look_at_broker(const Settings& settings, Findings& findings) {
    if (settings.kafka.brokers == "embedded") return;
    const auto group = kafka::look_at_group(settings.kafka);
    if (!group) return;  // Told with the configuration.
    const auto& [members, topics] = group.value();
    std::int64_t lag = 0;
    for (const auto& topic : topics) lag += topic.records;
    if (members == 0) {
        findings.push_back({lag > 0 ? "error" : "warning", "workers",
                            fmt::format("none is a member of group {}; {} records wait",
                                        settings.kafka.group, grouped(lag)),
                            "fanfare-worker -c " + settings.file.string()});
        return;
    }
    findings.push_back(
        {"ok", "workers", fmt::format("{} in group {}", members, settings.kafka.group), ""});
    for (const auto& [name, records] : topics) {
        const bool is_much = records > lag_warned;
        findings.push_back({is_much ? "warning" : "ok", "topic " + name,
                            fmt::format("{} records wait", grouped(records)),
                            is_much ? "fanfare accounts  (then more workers, or more partitions: "
                                      "fanfare topics --partitions N)"
                                    : ""});
    }
}

void look_at_time_zones(Findings& findings) {
    findings.push_back(of_time_zones(time_zone_data_version(), system_clock().now()));
}

}  // namespace fanfare::cli
