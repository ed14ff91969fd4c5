// replay and replays: people whom something went wrong for are served once more.
#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "core/estimate/money.hpp"
#include "core/estimate/outlook.hpp"
#include "core/ledger/account_states.hpp"
#include "core/ledger/replay_words.hpp"
#include "core/ledger/retention.hpp"

#include <fmt/format.h>

#include <array>
#include <random>

namespace fanfare::cli {
namespace {

constexpr int jobs_shown_max = 10'000;

struct ReplayOptions {
    ledger::ReplayWords words;
    std::int64_t ttl_s = 0;
    std::string because;
    std::string key;
    bool yes = false;
};

/// What the command line calls a field.
std::string to_flag(std::string_view field) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> odd{
        {{"jobs", "job"},
         {"outcomes", "--outcome"},
         {"reasons", "--reason"},
         {"include_unknown", "--include-unknown"}}};
    for (const auto& [name, flag] : odd) {
        if (name == field) return std::string{flag};
    }
    return fmt::format("--{}", field);
}

ledger::ReplayFilter to_filter(const ReplayOptions& options) {
    ledger::ReplayWords words = options.words;
    for (auto& job : words.jobs) job = job_id_or_stop(job);
    auto read = ledger::read_words(words);
    if (const auto* const fault = std::get_if<ledger::WordFault>(&read)) {
        if (fault->field.empty()) {
            throw Stop{exit_usage, fault->problem,
                       "name jobs, or --system, --kind, --subject or --since"};
        }
        throw Stop{exit_usage, fmt::format("{}: {}", to_flag(fault->field), fault->problem),
                   fault->expected};
    }
    return std::move(std::get<ledger::ReplayFilter>(read));
}

/// By channel, outcome and reason, over all jobs.
std::vector<Record> to_records(const ledger::ReplaySummary& summary) {
    std::vector<Record> records;
    for (const auto& line : summary.lines) {
        records.push_back({{"channel", std::string{to_string(line.channel)}},
                           {"outcome", std::string{to_string(line.outcome)}},
                           {"reason", std::string{to_string(line.reason)}},
                           {"jobs", line.sum.jobs},
                           {"people", line.sum.people},
                           {"left_out_expired", line.sum.expired},
                           {"left_out_told_by_fallback", line.sum.elsewhere},
                           {"left_out_told_since", line.sum.told_since},
                           {"left_out_called_off", line.sum.called_off},
                           {"left_out_held", line.sum.held}});
    }
    return records;
}

/// By channel: what would become of them now.
std::vector<Record> to_records(const Terms& terms, const Outlook& outlook) {
    std::vector<Record> records;
    for (const auto channel : channels) {
        const auto index = static_cast<std::size_t>(channel);
        const auto& one = outlook.channels[index];
        if (one.people == 0 && one.found.messages == 0) continue;
        const auto units = count_units(one.found, channel);
        const auto limit = find_limit(terms, channel);
        const auto cost = total_cost(units, 1, to_micros(terms.settings.costs[index]));
        records.push_back({{"if_served_now", std::string{to_string(channel)}},
                           {"looked_at", one.looked_at},
                           {"messages", one.found.messages},
                           {"segments", one.found.segments},
                           {"no_address", one.found.no_address},
                           {"invalid_address", one.found.invalid_address},
                           {"opted_out", one.found.opted_out},
                           {"too_often", one.found.too_often},
                           {"suppressed", one.found.suppressed},
                           {"duplicates", one.found.duplicates},
                           {"cost_usd", dollars(cost)},
                           {"seconds", limit > 0 ? static_cast<double>(units) / limit : 0.0}});
    }
    return records;
}

std::string advise(const ledger::ReplaySummary& summary, const Outlook& outlook) {
    const auto& all = summary.all;
    std::string text = fmt::format("{} people of {} jobs", grouped(all.people), all.jobs);
    if (all.expired > 0) {
        text +=
            fmt::format("; {} more are of jobs that have expired: give them a new --ttl SECONDS",
                        grouped(all.expired));
    }
    std::int64_t unknown = 0;
    for (const auto& line : summary.lines) {
        if (line.outcome == Outcome::unknown) unknown += line.sum.people;
    }
    if (unknown > 0) {
        text += fmt::format("; {} of them may have been told already, and be told twice",
                            grouped(unknown));
    }
    for (const auto& system : outlook.not_asked) {
        text += fmt::format(
            "; {} was not asked for addresses: its database does not answer, or it "
            "is not configured",
            system);
    }
    if (outlook.not_asked.empty() && !outlook.is_exact()) {
        text += "; more than were looked at one by one: what would become of them is reckoned";
    }
    return text;
}

/// What a filter names that is not configured here: likely misspelt.
std::string unknown_names(const Settings& settings, const ledger::ReplayFilter& filter) {
    std::string text;
    const auto systems = load_systems_or_stop(settings);
    const auto& system = filter.system;
    const auto& kind = filter.kind;
    const auto& account = filter.account;
    if (!system.empty() && !systems.contains(system)) {
        text += fmt::format("; no system is called {} here", system);
    }
    const bool has_kind = std::any_of(systems.begin(), systems.end(), [&](const auto& each) {
        return each.second.find_kind(kind) != nullptr;
    });
    if (!kind.empty() && !has_kind) text += fmt::format("; no kind is called {} here", kind);
    const bool has_account = std::any_of(settings.accounts.begin(), settings.accounts.end(),
                                         [&](const auto& each) { return each.name == account; });
    if (!account.empty() && !has_account) {
        text += fmt::format("; no account is called {} here", account);
    }
    return text;
}

/// Changes nothing.
int tell(const Globals& globals, const Settings& settings, Ledger& ledger,
         const ledger::ReplayOrder& order) {
    const auto counts = ledger.run("count who is chosen", [&](auto& connection) {
        return ledger::count_replay(connection, order.filter);
    });
    const bool lives_anew = order.ttl.has_value();
    const auto summary = ledger::sum_up(counts, lives_anew);
    print(to_records(summary), globals.json,
          "nobody is chosen" + unknown_names(settings, order.filter));
    Outlook outlook;
    if (summary.all.people > 0) {
        const auto systems = load_systems_or_stop(settings);
        const auto templates = load_templates_or_stop(settings);
        const auto clock_parts = OutlookParts{settings, systems, templates, system_clock()};
        outlook = ledger.run("look at who is chosen", [&](auto& connection) {
            return look_ahead(clock_parts, connection, order.filter, lives_anew, counts);
        });
        const auto rates = ledger.run(
            "look up rates", [](auto& connection) { return ledger::rates_by_hand(connection); });
        const auto records = to_records({settings, rates}, outlook);
        if (!globals.json) fmt::print("\n");
        print(records, globals.json, "");
    }
    print_error(advise(summary, outlook) +
                ". Nothing was changed: --yes --because TEXT serves them once more");
    return exit_ok;
}

std::string fresh_replay_key() {
    std::random_device device;
    return fmt::format("{:08x}{:08x}", device(), device());
}

/// Each job a transaction: what is broken off is whole as far as it came.
void carry_out(Ledger& ledger, std::int64_t id, const ledger::ReplayOrder& order) {
    const auto jobs = ledger.run("find jobs to replay", [&](auto& connection) {
        return ledger::replayable_jobs(connection, order);
    });
    std::int64_t held = 0;
    for (const auto& job : jobs) {
        held += ledger
                    .run("replay a job",
                         [&](auto& connection) {
                             return ledger::replay_job(connection, id, order, job);
                         })
                    .held;
    }
    ledger.run("end a replay", [&](auto& connection) {
        ledger::end_replay(connection, id, held);
        return true;
    });
}

int show_done(Ledger& ledger, const Globals& globals, std::int64_t id) {
    const ledger::ReplayPage page{.systems = {}, .sources = {}, .before = 0, .only = id};
    const auto line =
        ledger
            .run("look up a replay",
                 [&](auto& connection) { return ledger::list_replays(connection, page, 1); })
            .at(0);
    const auto jobs = ledger.run("look up a replay's jobs", [&](auto& connection) {
        return ledger::jobs_of_replay(connection, id, jobs_shown_max);
    });
    std::vector<Record> records;
    for (const auto& one : jobs) {
        records.push_back({{"job", one.job}, {"replay_of", one.replay_of}, {"people", one.people}});
    }
    print(records, globals.json, "nobody was chosen");
    print_error(fmt::format(
        "replay {}: {} people in {} new jobs{}; see: fanfare status JOB -f", id,
        grouped(line.people), line.jobs,
        line.held > 0
            ? fmt::format("; {} are in a worker's hands, and left as they are", grouped(line.held))
            : std::string{}));
    return exit_ok;
}

int replay(const Globals& globals, const ReplayOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    Ledger ledger{settings};
    ledger::ReplayOrder order;
    order.filter = to_filter(options);
    if (options.ttl_s > 0) order.ttl = std::chrono::seconds{options.ttl_s};
    if (options.yes && options.because.empty()) {
        throw Stop{exit_usage, "why?", "--because TEXT is kept with the replay"};
    }
    const auto missing = ledger.run("look up jobs to replay", [&](auto& connection) {
        return ledger::missing_jobs(connection, order.filter);
    });
    if (!missing.empty()) {
        throw Stop{exit_rejected, fmt::format("no job {} in the ledger", missing.front())};
    }
    const auto dropped = ledger.run("look for jobs that are no longer kept", [&](auto& connection) {
        return ledger::dropped_jobs(connection, order.filter.jobs);
    });
    if (!dropped.empty()) throw no_longer_kept(dropped.front());
    if (!options.yes) return tell(globals, settings, ledger, order);
    order.because = because_or_stop(options.because);
    order.who = somebody();
    order.key = options.key.empty() ? fresh_replay_key() : options.key;
    const auto known = ledger.run(
        "note a replay", [&](auto& connection) { return ledger::begin_replay(connection, order); });
    if (!known.same) {
        throw Stop{exit_rejected, "this key was used for another replay",
                   "take another one, or say what was said then"};
    }
    if (!known.finished) carry_out(ledger, known.id, order);
    return show_done(ledger, globals, known.id);
}

int list(const Globals& globals, int limit) {
    Ledger ledger{load_settings_or_stop(globals)};
    const auto lines = ledger.run("list replays", [limit](auto& connection) {
        return ledger::list_replays(connection, {}, limit);
    });
    std::vector<Record> records;
    for (const auto& line : lines) {
        records.push_back({{"replay", line.id},
                           {"at", line.at},
                           {"finished_at", line.finished_at},
                           {"who", line.who},
                           {"because", line.because},
                           {"jobs", line.jobs},
                           {"people", line.people},
                           {"filter", line.filter}});
    }
    print(records, globals.json, "no replays yet; see: fanfare replay --help");
    return exit_ok;
}

}  // namespace

void add_replay(const Command& app, Globals& globals) {
    const auto command = app.command(
        "replay", "Serve people of jobs once more, exactly those whom something went wrong for");
    auto o = std::make_shared<ReplayOptions>();
    command.option("job", o->words.jobs,
                   "Ids of jobs; without any, see --system, --kind, --subject, --since");
    command.option("--system", o->words.system, "Jobs of this system");
    command.option("--kind", o->words.kind, "Jobs of this kind");
    command.option("--subject", o->words.subject, "Jobs about this, or about one of its moments");
    command.option("--channel", o->words.channel, "People of this channel");
    command.option("--account", o->words.account, "People whom this account served last");
    command
        .option("--outcome", o->words.outcomes,
                "failed, refused, expired, unknown; default: failed")
        .cut_at_commas();
    command.option("--reason", o->words.reasons, "Only these reasons, or causes behind them")
        .cut_at_commas();
    command.option("--since", o->words.since,
                   "Whose outcome was written since (2026-11-28T09:30:00Z)");
    command.option("--until", o->words.until, "Whose outcome was written before");
    command.flag("--include-unknown", o->words.include_unknown,
                 "Also who may have been told already: some may be told twice");
    command.option("--ttl", o->ttl_s, "Seconds that jobs which have expired live anew")
        .within(1, 31'536'000);
    command.option("--because", o->because, "Why; kept, and listed by `fanfare replays`");
    command.option("--key", o->key, "The same key again goes on with a replay that was broken off")
        .checked([](const std::string& key) {
            return key.empty() || key.size() > 100 ? std::string{"1 to 100 bytes"} : std::string{};
        });
    command.flag("--yes", o->yes, "Do it; without, it is only told who would be");
    choose(command, globals, [&globals, o] { return replay(globals, *o); });
    const auto all = app.command("replays", "Who replayed what, when and why");
    auto limit = std::make_shared<int>(20);
    all.option("-n,--limit", *limit, "How many").within(1, 10'000).shows_default();
    choose(all, globals, [&globals, limit] { return list(globals, *limit); });
}

}  // namespace fanfare::cli
