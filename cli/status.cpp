#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "core/ledger/api_jobs.hpp"

namespace fanfare::cli {
namespace {

struct StatusOptions {
    std::string job;
    bool follow = false;
    int timeout_s = 0;
    int limit = 20;
    ledger::JobFilter filter;  // Of a list.
};

int list(Ledger& ledger, const Globals& globals, const StatusOptions& options) {
    const auto jobs = ledger.run("list jobs", [&options](auto& connection) {
        return ledger::latest_progress(connection, options.filter, options.limit);
    });
    std::vector<Record> records;
    for (const auto& job : jobs) {
        std::int64_t planned = 0, settled = 0, accepted = 0, failed = 0, unknown = 0;
        std::vector<std::string> names;
        for (const auto& channel : job.channels) {
            planned += channel.planned;
            settled += count_settled(channel);
            accepted += count_accepted(channel);
            failed += channel.outcomes[static_cast<std::size_t>(Outcome::failed)];
            unknown += channel.outcomes[static_cast<std::size_t>(Outcome::unknown)];
            names.push_back(channel.channel);
        }
        records.push_back({{"job", job.job},
                           {"system", job.system},
                           {"kind", job.kind},
                           {"state", job.state},
                           {"channels", names},
                           {"planned", planned},
                           {"settled", settled},
                           {"sent", accepted},
                           {"failed", failed},
                           {"unknown", unknown},
                           {"created_at", job.created_at},
                           {"subject", job.subject},
                           {"title", job.title}});
    }
    print(records, globals.json,
          options.filter.is_narrow() ? "no job is like that"
                                     : "no jobs yet; publish one with: fanfare publish --help");
    return exit_ok;
}

int status(const Globals& globals, const StatusOptions& options) {
    static_cast<void>(moment_or_stop("--since", options.filter.since));
    Ledger ledger{load_settings_or_stop(globals)};
    if (options.job.empty()) return list(ledger, globals, options);
    const auto job = job_id_or_stop(options.job);
    if (!options.follow) return show(ledger, job, globals.json);
    FollowOptions how{.json = globals.json, .timeout = {}, .wait_until_known = true};
    if (options.timeout_s > 0) how.timeout = std::chrono::seconds{options.timeout_s};
    return follow(ledger, job, how);
}

int cancel(const Globals& globals, const std::string& text) {
    Ledger ledger{load_settings_or_stop(globals)};
    const auto job = job_id_or_stop(text);
    const bool done = ledger.run("cancel a job", [&](auto& connection) {
        if (ledger::cancel_job(connection, job)) return true;
        // Accepted, and no worker has taken it yet.
        return !ledger::load_progress(connection, job) && ledger::cancel_wherever(connection, job);
    });
    const auto now = ledger.run("read the progress of a job", [&](auto& connection) {
        return ledger::load_progress(connection, job);
    });
    if (!now) throw Stop{exit_rejected, "no such job in the ledger: nothing to cancel"};
    print({{{"job", job}, {"cancelled", done}, {"state", now->state}}}, globals.json, "");
    if (done || now->state == "cancelled") return exit_ok;
    throw Stop{exit_rejected, "the job is over already: nothing was cancelled"};
}

}  // namespace

void add_status(const Command& app, Globals& globals) {
    const auto command = app.command("status", "Where a job stands, or the latest jobs");
    auto options = std::make_shared<StatusOptions>();
    command.option("job", options->job, "A job's id; without it the latest jobs are listed");
    command.flag("-f,--follow", options->follow, "Go on until the job is over");
    command.option("--timeout", options->timeout_s, "Give up following after so many seconds")
        .within(1, 1'000'000);
    command.option("-n,--limit", options->limit, "How many jobs to list")
        .within(1, 10'000)
        .shows_default();
    auto& filter = options->filter;
    command.option("--system", filter.system, "Of a list: jobs of this system");
    command.option("--kind", filter.kind, "Of a list: jobs of this kind");
    command.option("--state", filter.state, "Of a list: jobs in this state")
        .one_of({"planning", "sending", "done", "cancelled", "failed"});
    command.option("--since", filter.since, "Of a list: taken in since (2026-11-28T09:30:00Z)");
    command.flag("--has-failures", filter.has_failures,
                 "Of a list: jobs of which somebody has failed, or is unknown");
    choose(command, globals, [&globals, options] { return status(globals, *options); });
}

void add_cancel(const Command& app, Globals& globals) {
    const auto command = app.command("cancel", "Stop a job: what is not sent yet will not be");
    auto job = std::make_shared<std::string>();
    command.option("job", *job, "The job's id").required();
    choose(command, globals, [&globals, job] { return cancel(globals, *job); });
}

}  // namespace fanfare::cli
