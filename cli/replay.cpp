// replay and replays: people whom something went wrong for are served once more.
#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "core/ledger/replays.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <array>
#include <map>
#include <random>
#include <set>
#include <tuple>

namespace fanfare::cli {
namespace {

struct ReplayOptions {
    std::vector<std::string> jobs;
    std::string system, kind, subject, channel, account, since, until;
    std::vector<std::string> outcomes{"failed"};
    std::vector<std::string> reasons;
    bool include_unknown = false;
    std::int64_t ttl_s = 0;
    std::string because;
    std::string key;
    bool yes = false;
};

constexpr std::array replayable{Outcome::failed, Outcome::refused, Outcome::expired,
                                Outcome::unknown};

Outcome outcome_or_stop(const std::string& word) {
    const auto outcome = parse_outcome(word);
    if (outcome && std::find(replayable.begin(), replayable.end(), *outcome) != replayable.end()) {
        return *outcome;
    }
    throw Stop{exit_usage, fmt::format("--outcome {}: nobody of these is served once more", word),
               "one or more of failed, refused, expired, unknown"};
}

Reason reason_or_stop(const std::string& word) {
    for (std::size_t i = 0; i < reason_count; ++i) {
        if (to_string(static_cast<Reason>(i)) == word) return static_cast<Reason>(i);
    }
    throw Stop{exit_usage, fmt::format("--reason {}: there is none", word),
               "as `fanfare delivery JOB` shows them"};
}

ledger::ReplayFilter filter_of(const ReplayOptions& options) {
    ledger::ReplayFilter filter;
    for (const auto& job : options.jobs) filter.jobs.push_back(job_id_or_stop(job));
    filter.system = options.system;
    filter.kind = options.kind;
    filter.subject = options.subject;
    filter.account = options.account;
    if (!options.channel.empty()) {
        filter.channel = parse_channel(options.channel);
        if (!filter.channel) throw Stop{exit_usage, "--channel: email, sms or push"};
    }
    for (const auto& word : options.outcomes) filter.outcomes.push_back(outcome_or_stop(word));
    const bool unknown = std::find(filter.outcomes.begin(), filter.outcomes.end(),
                                   Outcome::unknown) != filter.outcomes.end();
    if (unknown && !options.include_unknown) {
        throw Stop{exit_usage,
                   "who is `unknown` may have been told already, and would be told twice",
                   "say --include-unknown if that is better than not at all"};
    }
    if (options.include_unknown && !unknown) filter.outcomes.push_back(Outcome::unknown);
    for (const auto& word : options.reasons) filter.reasons.push_back(reason_or_stop(word));
    filter.since = moment_or_stop("--since", options.since);
    filter.until = moment_or_stop("--until", options.until);
    if (filter.jobs.empty() && filter.system.empty() && filter.kind.empty() &&
        filter.subject.empty() && !filter.since) {
        throw Stop{exit_usage, "of which jobs?",
                   "name jobs, or --system, --kind, --subject or --since"};
    }
    return filter;
}

struct Sum {
    std::set<std::string> jobs;
    std::int64_t people = 0, has_expired = 0, elsewhere = 0, told_since = 0, held = 0;
};

/// By channel, outcome and reason, over all jobs.
Sum show_count(const std::vector<ledger::ReplayCount>& counts, const Globals& globals,
               bool given_ttl) {
    std::map<std::tuple<Channel, Outcome, Reason>, Sum> lines;
    Sum all;
    for (const auto& count : counts) {
        const bool leaves = count.has_expired && !given_ttl;
        for (auto* const sum : {&lines[{count.channel, count.outcome, count.reason}], &all}) {
            (leaves ? sum->has_expired : sum->people) += count.people;
            sum->elsewhere += count.elsewhere;
            sum->told_since += count.told_since;
            sum->held += count.held;
            if (!leaves && count.people > 0) sum->jobs.insert(count.job);
        }
    }
    std::vector<Record> records;
    for (const auto& [key, sum] : lines) {
        records.push_back({{"channel", std::string{to_string(std::get<0>(key))}},
                           {"outcome", std::string{to_string(std::get<1>(key))}},
                           {"reason", std::string{to_string(std::get<2>(key))}},
                           {"jobs", static_cast<std::int64_t>(sum.jobs.size())},
                           {"people", sum.people},
                           {"left_out_expired", sum.has_expired},
                           {"left_out_told_by_fallback", sum.elsewhere},
                           {"left_out_told_since", sum.told_since},
                           {"left_out_held", sum.held}});
    }
    print(records, globals.json, "nobody is chosen");
    return all;
}

std::string advice_of(const Sum& all) {
    std::string text = fmt::format("{} people of {} jobs", grouped(all.people), all.jobs.size());
    if (all.has_expired > 0) {
        text +=
            fmt::format("; {} more are of jobs that have expired: give them a new --ttl SECONDS",
                        grouped(all.has_expired));
    }
    return text;
}

int replay(const Globals& globals, const ReplayOptions& options) {
    Ledger ledger{load_settings_or_stop(globals)};
    ledger::ReplayOrder order;
    order.filter = filter_of(options);
    if (options.ttl_s > 0) order.ttl = std::chrono::seconds{options.ttl_s};
    if (!options.yes) {
        const auto counts = ledger.run("count who is chosen", [&](auto& connection) {
            return ledger::count_replay(connection, order.filter);
        });
        const auto all = show_count(counts, globals, order.ttl.has_value());
        print_error(advice_of(all) +
                    ". Nothing was changed: --yes --because TEXT serves them once more");
        return exit_ok;
    }
    if (options.because.empty()) {
        throw Stop{exit_usage, "why?", "--because TEXT is kept with the replay"};
    }
    order.because = options.because;
    order.who = somebody();
    order.key = options.key;
    if (order.key.empty()) {
        std::random_device device;
        order.key = fmt::format("{:08x}{:08x}", device(), device());
    }
    const auto known = ledger.run(
        "note a replay", [&](auto& connection) { return ledger::begin_replay(connection, order); });
    if (!known.same) {
        throw Stop{exit_rejected, "this key was used for another replay",
                   "take another one, or say what was said then"};
    }
    const auto id = known.id;
    const auto jobs = ledger.run("find jobs to replay", [&](auto& connection) {
        return ledger::replayable_jobs(connection, order);
    });
    std::vector<Record> records;
    std::int64_t people = 0, held = 0;
    for (const auto& job : jobs) {
        const auto done = ledger.run("replay a job", [&](auto& connection) {
            return ledger::replay_job(connection, id, order, job);
        });
        people += done.people;
        held += done.held;
        if (done.job.empty()) continue;
        records.push_back({{"job", done.job}, {"replay_of", job}, {"people", done.people}});
    }
    ledger.run("end a replay", [&](auto& connection) {
        ledger::end_replay(connection, id, held);
        return true;
    });
    print(records, globals.json, "nobody was chosen");
    print_error(fmt::format(
        "replay {}: {} people in {} new jobs{}; see: fanfare status JOB -f", id, grouped(people),
        records.size(),
        held > 0 ? fmt::format("; {} are in a worker's hands, and left as they are", grouped(held))
                 : std::string{}));
    return exit_ok;
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

void add_replay(CLI::App& app, Globals& globals) {
    auto* const command = app.add_subcommand(
        "replay", "Serve people of jobs once more, exactly those whom something went wrong for");
    auto o = std::make_shared<ReplayOptions>();
    command->add_option("job", o->jobs,
                        "Ids of jobs; without any, see --system, --kind, --subject, --since");
    command->add_option("--system", o->system, "Jobs of this system");
    command->add_option("--kind", o->kind, "Jobs of this kind");
    command->add_option("--subject", o->subject, "Jobs about this, or about one of its moments");
    command->add_option("--channel", o->channel, "People of this channel");
    command->add_option("--account", o->account, "People whom this account served last");
    command->add_option("--outcome", o->outcomes, "failed, refused, expired, unknown")
        ->delimiter(',')
        ->capture_default_str();
    command->add_option("--reason", o->reasons, "Only these reasons, or causes behind them")
        ->delimiter(',');
    command->add_option("--since", o->since,
                        "Whose outcome was written since (2026-11-28T09:30:00Z)");
    command->add_option("--until", o->until, "Whose outcome was written before");
    command->add_flag("--include-unknown", o->include_unknown,
                      "Also who may have been told already: some may be told twice");
    command->add_option("--ttl", o->ttl_s, "Seconds that jobs which have expired live anew")
        ->check(CLI::Range(1, 31'536'000));
    command->add_option("--because", o->because, "Why; kept, and listed by `fanfare replays`");
    command
        ->add_option("--key", o->key,
                     "The same key again goes on with a replay that was broken off")
        ->check([](const std::string& key) {
            return key.empty() || key.size() > 100 ? std::string{"1 to 100 bytes"} : std::string{};
        });
    command->add_flag("--yes", o->yes, "Do it; without, it is only told who would be");
    command->callback(
        [&globals, o] { globals.chosen = [&globals, o] { return replay(globals, *o); }; });
    auto* const all = app.add_subcommand("replays", "Who replayed what, when and why");
    auto limit = std::make_shared<int>(20);
    all->add_option("-n,--limit", *limit, "How many")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    all->callback([&globals, limit] {
        globals.chosen = [&globals, limit] { return list(globals, *limit); };
    });
}

}  // namespace fanfare::cli
