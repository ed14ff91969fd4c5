// db, verify, delivery, person: what is asked of the ledger.
#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "core/domain/explain.hpp"
#include "core/ledger/history.hpp"
#include "core/ledger/migrate.hpp"
#include "core/ledger/retention_round.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace fanfare::cli {
namespace {

std::filesystem::path migrations_dir(const Settings& settings, const std::string& given) {
    std::filesystem::path dir =
        given.empty() ? settings.file.parent_path() / "migrations" : std::filesystem::path{given};
    const auto shared = shared_folder();
    if (given.empty() && !std::filesystem::is_directory(dir) && !shared.empty()) {
        dir = shared / "migrations";
    }
    if (!std::filesystem::is_directory(dir)) {
        throw Stop{exit_no_input,
                   fmt::format("{} is no folder; name it with --migrations", dir.string())};
    }
    return dir;
}

int migrate(const Globals& globals, const std::string& given) {
    const auto settings = load_settings_or_stop(globals);
    const auto dir = migrations_dir(settings, given);
    const auto applied =
        ledger::migrate(settings.database.url, dir, [](const std::string& name, int tries) {
            fmt::print(stderr, "{}: the ledger is in use; tried again ({} of {})\n", name,
                       tries + 1, ledger::migrate_tries_max);
        });
    if (!applied) {
        // A refused migration is not mended by running it again.
        throw Stop{applied.error().code == Errc::store_rejected ? exit_config : exit_unavailable,
                   to_sentence(applied.error())};
    }
    std::vector<Record> records;
    for (const auto& name : applied.value()) records.push_back({{"applied", name}});
    print(records, globals.json, "nothing to do: the ledger is up to date");
    return exit_ok;
}

int database_status(const Globals& globals, const std::string& given) {
    const auto settings = load_settings_or_stop(globals);
    Ledger ledger{settings, Ledger::Fit::any};
    std::set<std::string> pending;
    for (const auto& entry : std::filesystem::directory_iterator{migrations_dir(settings, given)}) {
        if (entry.path().extension() == ".sql") pending.insert(entry.path().stem().string());
    }
    const auto applied = ledger.run("read the applied migrations", [](auto& connection) {
        std::vector<std::pair<std::string, std::string>> all;
        pqxx::nontransaction work{connection.raw()};
        if (work.exec("SELECT to_regclass('schema_migration')")[0][0].is_null()) return all;
        for (const auto& row : work.exec("SELECT name, to_char(applied_at AT TIME ZONE 'UTC', "
                                         "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
                                         "FROM schema_migration ORDER BY name")) {
            all.emplace_back(row[0].c_str(), row[1].c_str());
        }
        return all;
    });
    std::vector<Record> records;
    for (const auto& [name, at] : applied) {
        pending.erase(name);
        records.push_back({{"migration", name}, {"applied", true}, {"at", at}});
    }
    for (const auto& name : pending) {
        records.push_back({{"migration", name}, {"applied", false}, {"at", std::string{}}});
    }
    print(records, globals.json, "no migrations");
    if (pending.empty()) return exit_ok;
    throw Stop{exit_differs, fmt::format("{} to apply: fanfare db migrate", pending.size())};
}

constexpr int days_shown_max = 1'000;

int retention(const Globals& globals, bool drop) {
    const auto settings = load_settings_or_stop(globals);
    const auto keep = settings.database.keep;
    Ledger ledger{settings};
    if (!drop) {
        const auto days = ledger.run("look for what is old", [keep](auto& connection) {
            return ledger::old_days(connection, keep, days_shown_max);
        });
        std::vector<Record> records;
        records.reserve(days.size());
        for (const auto& day : days) {
            records.push_back({{"day", day.day},
                               {"jobs", day.jobs},
                               {"people", day.people},
                               {"jobs_that_stay", day.staying}});
        }
        print(records, globals.json, fmt::format("nothing is older than {} days", keep.count()));
        return exit_ok;
    }
    ledger::LedgerClock time{system_clock()};
    const auto holder = fmt::format("{}/{}", somebody(), getpid());
    WakeSignal waker;  // Nobody stops it but by ending the program, which no round minds.
    const auto round = ledger.run("drop what is old", [&](auto& connection) {
        return ledger::drop_all_old({connection, time, system_clock(), holder, keep}, waker);
    });
    print({{{"jobs", round.dropped.jobs},
            {"chunks", round.dropped.chunks},
            {"leftovers", static_cast<std::int64_t>(round.leftovers)}}},
          globals.json, "");
    const auto refusal = describe(round.end);
    if (!refusal.empty()) throw Stop{exit_unavailable, refusal};
    return exit_ok;
}

int verify(const Globals& globals, const std::string& text) {
    const auto job = text.empty() ? text : job_id_or_stop(text);
    Ledger ledger{load_settings_or_stop(globals)};
    const auto audit = ledger.run("verify the ledger",
                                  [&](auto& connection) { return ledger::audit(connection, job); });
    if (!job.empty() && audit.jobs == 0) throw Stop{exit_rejected, "no such job in the ledger"};
    const bool sound = audit.differences.empty();
    if (globals.json) {
        print({{{"sound", sound},
                {"jobs", audit.jobs},
                {"chunks", audit.chunks},
                {"recipients", audit.recipients},
                {"differences", audit.differences}}},
              true, "");
    } else {
        for (const auto& difference : audit.differences) {
            fmt::print("{}\n", printable(difference));
        }
        fmt::print("{} jobs, {} chunks, {} recipients: {}\n", grouped(audit.jobs),
                   grouped(audit.chunks), grouped(audit.recipients),
                   sound ? "everyone has exactly one outcome"
                         : fmt::format("{} differences", audit.differences.size()));
    }
    return sound ? exit_ok : exit_differs;
}

struct PersonOptions {
    std::string recipient;
    std::string system;
    int limit = 20;
};

int delivery(const Globals& globals, const std::string& text, const std::string& recipient) {
    const auto job = job_id_or_stop(text);
    Ledger ledger{load_settings_or_stop(globals)};
    const auto chain = ledger.run("look for a recipient", [&](auto& connection) {
        return ledger::find_chain(connection, job, recipient);
    });
    std::vector<Record> records;
    bool is_in_it = false;
    for (const auto& [in, fate] : chain) {
        is_in_it = is_in_it || in == job;
        records.push_back({{"channel", fate.channel},
                           {"outcome", std::string{to_string(fate.outcome)}},
                           {"reason", std::string{to_string(fate.reason)}},
                           {"cause", std::string{to_string(fate.cause)}},
                           {"attempts", std::int64_t{fate.attempts}},
                           {"account", fate.account},
                           {"provider_id", fate.provider_id},
                           {"chunk", std::int64_t{fate.chunk}},
                           {"updated_at", fate.updated_at},
                           {"job", in},
                           {"why", explain(fate.outcome, fate.reason, fate.cause)}});
    }
    if (is_in_it) {
        print(records, globals.json, "");
        return exit_ok;
    }
    const auto progress = ledger.run("read the progress of a job", [&](auto& connection) {
        return ledger::load_progress(connection, job);
    });
    if (!progress) throw Stop{exit_rejected, "no such job in the ledger"};
    if (!progress->dropped_at.empty()) throw no_longer_kept(job);
    if (!progress->planned && is_over(progress->state)) {
        throw Stop{exit_differs, fmt::format("the job was {} before its audience was read: nobody "
                                             "was planned",
                                             progress->state)};
    }
    throw Stop{exit_differs,
               progress->planned
                   ? "not in the audience: when the job was planned, the audience query did not "
                     "give this id"
                   : "not planned yet: the audience is still being read; ask again"};
}

int person(const Globals& globals, const PersonOptions& options) {
    Ledger ledger{load_settings_or_stop(globals)};
    ledger::HistoryCursor cursor;
    std::vector<ledger::PersonDelivery> found;
    const auto limit = static_cast<std::size_t>(options.limit);
    bool more = true;
    while (more && found.size() < limit) {
        more = ledger.run("read somebody's history", [&](auto& connection) {
            return ledger::read_history(connection, {}, options.system, options.recipient, cursor,
                                        limit - found.size(), found);
        });
    }
    std::vector<Record> records;
    for (const auto& one : found) {
        records.push_back({{"created_at", one.created_at},
                           {"system", one.system},
                           {"kind", one.kind},
                           {"channel", one.fate.channel},
                           {"outcome", std::string{to_string(one.fate.outcome)}},
                           {"reason", std::string{to_string(one.fate.reason)}},
                           {"job", one.job},
                           {"subject", one.subject},
                           {"title", one.title}});
    }
    print(records, globals.json, "in no job; is the id that of the system's audience?");
    return exit_ok;
}

}  // namespace

void add_db(const Command& app, Globals& globals) {
    const auto db = app.command("db", "The ledger's tables");
    db.needs_command();
    auto dir = std::make_shared<std::string>();
    const char* const help =
        "Folder of the migrations; default: beside the settings file, or "
        "what was installed";
    const auto up = db.command("migrate", "Bring the tables up to date; safe to repeat");
    up.option("--migrations", *dir, help);
    choose(up, globals, [&globals, dir] { return migrate(globals, *dir); });
    const auto state = db.command("status", "Which migrations are applied");
    state.option("--migrations", *dir, help);
    choose(state, globals, [&globals, dir] { return database_status(globals, *dir); });
    const auto old = db.command(
        "retention", "What is older than database.keep_days; producers drop it by themselves");
    auto drop = std::make_shared<bool>(false);
    old.flag("--drop", *drop, "Drop it now");
    choose(old, globals, [&globals, drop] { return retention(globals, *drop); });
}

void add_verify(const Command& app, Globals& globals) {
    const auto command = app.command(
        "verify", "Check that everyone planned has exactly one outcome; exit code 1 if not");
    auto job = std::make_shared<std::string>();
    command.option("job", *job, "One job only");
    choose(command, globals, [&globals, job] { return verify(globals, *job); });
}

void add_delivery(const Command& app, Globals& globals) {
    const auto command =
        app.command("delivery", "What became of one person: why were they not notified?");
    auto job = std::make_shared<std::string>();
    auto recipient = std::make_shared<std::string>();
    command.option("job", *job, "The job's id").required();
    command.option("-r,--recipient", *recipient, "The person's id in the system").required();
    choose(command, globals,
           [&globals, job, recipient] { return delivery(globals, *job, *recipient); });
}

void add_person(const Command& app, Globals& globals) {
    const auto command =
        app.command("person", "What one person was told, over all jobs, newest first");
    auto options = std::make_shared<PersonOptions>();
    command.option("recipient", options->recipient, "The person's id in the system").required();
    command.option("--system", options->system, "Jobs of this system");
    command.option("-n,--limit", options->limit, "How many deliveries")
        .within(1, 10'000)
        .shows_default();
    choose(command, globals, [&globals, options] { return person(globals, *options); });
}

}  // namespace fanfare::cli
