// pause, resume and pauses: what operators hold back, and let go.
#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "core/ledger/api_jobs.hpp"
#include "core/ledger/pauses.hpp"

#include <fmt/format.h>

namespace fanfare::cli {
namespace {

struct TargetOptions {
    std::string job, kind, channel, account;
};

struct PauseOptions {
    TargetOptions target;
    std::string because, until, lasts;
};

ledger::PauseTarget job_target(Ledger& ledger, const std::string& text) {
    auto job = job_id_or_stop(text);
    const auto known = ledger.run(
        "look for a job", [&](auto& connection) { return ledger::find_job(connection, job, {}); });
    if (!known) throw Stop{exit_rejected, fmt::format("no job {} in the ledger", job)};
    if (!known->finished_at.empty()) {
        throw Stop{exit_rejected,
                   fmt::format("job {} has ended: there is nothing to hold back", job)};
    }
    return {ledger::Paused::job, job};
}

ledger::PauseTarget kind_target(const Settings& settings, const std::string& text) {
    const auto systems = load_systems_or_stop(settings);
    std::string known;
    for (const auto& [name, system] : systems) {
        for (const auto& kind : system.kinds) {
            const auto word = name + "/" + kind.first;
            if (word == text) return {ledger::Paused::kind, text};
            known += (known.empty() ? "" : ", ") + word;
        }
    }
    throw Stop{exit_rejected, fmt::format("--kind {}: there is none", text), "one of " + known};
}

/// What the flags name; ends the command where that is not exactly one thing that there is.
ledger::PauseOrder read_target(Ledger& ledger, const Settings& settings,
                               const TargetOptions& options) {
    ledger::PauseOrder order;
    if (!options.job.empty()) order.target = job_target(ledger, options.job);
    if (!options.kind.empty()) order.target = kind_target(settings, options.kind);
    if (!options.channel.empty()) {
        if (!parse_channel(options.channel)) {
            throw Stop{exit_usage, "--channel: email, sms or push"};
        }
        order.target = {ledger::Paused::channel, options.channel};
    }
    if (!options.account.empty()) {
        order.channel = account_or_stop(settings, options.account).channel;
        order.target = {ledger::Paused::account, options.account};
    }
    return order;
}

Record to_record(const ledger::PauseLine& line) {
    return {{"what", std::string{to_string(line.target.what)}},
            {"name", line.target.name},
            {"since", line.since},
            {"until", line.until},
            {"who", line.who},
            {"because", line.because}};
}

int pause(const Globals& globals, const PauseOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    Ledger ledger{settings};
    auto order = read_target(ledger, settings, options.target);
    order.because = because_or_stop(options.because);
    order.who = somebody();
    order.until = moment_or_stop("--until", options.until);
    if (!options.lasts.empty()) {
        const auto lasts = parse_duration(options.lasts);
        if (!lasts) {
            throw Stop{exit_usage, fmt::format("--for {}: no time", options.lasts),
                       "write it as 90s, 30m, 2h or 1d"};
        }
        order.until = system_clock().now() + *lasts;
    }
    if (order.until && *order.until <= system_clock().now()) {
        throw Stop{exit_rejected, "the end of the pause has passed already"};
    }
    const auto line =
        ledger.run("pause", [&](auto& connection) { return ledger::pause(connection, order); });
    print({to_record(line.value())}, globals.json, "");
    return exit_ok;
}

int resume(const Globals& globals, const TargetOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    Ledger ledger{settings};
    // Also what is not configured any more can be let go.
    ledger::PauseTarget target;
    if (!options.job.empty()) target.name = job_id_or_stop(options.job);
    if (!options.kind.empty()) target = {ledger::Paused::kind, options.kind};
    if (!options.channel.empty()) target = {ledger::Paused::channel, options.channel};
    if (!options.account.empty()) target = {ledger::Paused::account, options.account};
    const auto line =
        ledger.run("resume", [&](auto& connection) { return ledger::resume(connection, target); });
    if (!line) {
        throw Stop{exit_rejected,
                   fmt::format("{} {} is not paused", to_string(target.what), target.name),
                   "see: fanfare pauses"};
    }
    print({to_record(*line)}, globals.json, "");
    return exit_ok;
}

int list_pauses(const Globals& globals) {
    Ledger ledger{load_settings_or_stop(globals)};
    const auto lines =
        ledger.run("list pauses", [](auto& connection) { return ledger::list_pauses(connection); });
    std::vector<Record> records;
    for (const auto& line : lines) records.push_back(to_record(line));
    print(records, globals.json, "nothing is paused");
    return exit_ok;
}

void add_target(const Command& command, TargetOptions& target) {
    const auto which = command.exactly_one("what", "What: exactly one of these");
    which.option("--job", target.job, "A job, by its id");
    which.option("--kind", target.kind, "All jobs of a kind: shows/show.reminder");
    which.option("--channel", target.channel, "A channel: email, sms, push");
    which.option("--account", target.account, "A provider account, by its name");
}

}  // namespace

void add_pause(const Command& app, Globals& globals) {
    const auto command = app.command(
        "pause", "Begin nothing new of a job, a kind, a channel or an account; nothing is lost");
    auto o = std::make_shared<PauseOptions>();
    add_target(command, o->target);
    command.option("--because", o->because, "Why; `fanfare status` and `pauses` show it")
        .required();
    const auto until =
        command.option("--until", o->until, "It ends by itself then (2026-11-28T09:30:00Z)");
    command.option("--for", o->lasts, "It ends by itself after 90s, 30m, 2h, 1d").excludes(until);
    choose(command, globals, [&globals, o] { return pause(globals, *o); });
    const auto again = app.command("resume", "Go on with what was paused");
    auto target = std::make_shared<TargetOptions>();
    add_target(again, *target);
    choose(again, globals, [&globals, target] { return resume(globals, *target); });
    const auto all = app.command("pauses", "What is paused, since when, by whom and why");
    choose(all, globals, [&globals] { return list_pauses(globals); });
}

}  // namespace fanfare::cli
