// notifications: what is due next, and changing it by hand.
#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "core/ledger/notification_edits.hpp"
#include "core/wire/job.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>

namespace fanfare::cli {
namespace {

/// Who the ledger says has done it.
const std::string by = "cli";

/// One notification, or several: as they are typed.
struct Which {
    std::string id;
    std::string system;
    std::string kind;
    std::string subject;
    std::string occurrence;
};

struct Move {
    std::string due_at;
    std::string expires_at;
};

int list(const Globals& globals, int limit, bool all) {
    Ledger ledger{load_settings_or_stop(globals)};
    const auto lines = ledger.run("list notifications", [=](auto& connection) {
        return ledger::list_notifications(connection, limit, all);
    });
    std::vector<Record> records;
    for (const auto& line : lines) {
        records.push_back(
            {{"due_at", line.due_at},
             {"due_in", line.due_in_s < 0 ? std::string{"past"} : format_duration(line.due_in_s)},
             {"system", line.key.system},
             {"kind", line.key.kind},
             {"subject", std::string{ledger::plain_subject(line.key.subject)}},
             {"occurrence", line.key.occurrence},
             {"state", line.state},
             {"job", line.job}});
    }
    print(records, globals.json,
          "nothing scheduled within the horizon; is fanfare-producer running?");
    return exit_ok;
}

/// The moment that a flag names as the ledger reads it, nothing for "".
std::string moment_text_or_stop(const char* flag, const std::string& text) {
    const auto moment = moment_or_stop(flag, text);
    return moment ? format_timestamp(*moment) : std::string{};
}

/// The system and the kind are served here: without them a job on its way cannot be stopped.
void check_known(const Which& which, const Systems& systems) {
    const auto system = systems.find(which.system);
    if (system == systems.end()) {
        throw Stop{exit_rejected, fmt::format("{} is no system that these settings serve; see "
                                              "systems_dir, and whether its database is named",
                                              which.system)};
    }
    if (which.kind.empty() || system->second.find_kind(which.kind) != nullptr) return;
    throw Stop{exit_rejected,
               fmt::format("{} is no kind of the system {}", which.kind, which.system)};
}

/// The key of one; nothing when there is none of this id.
std::optional<ledger::NotificationKey> find_key(postgres::Connection& connection,
                                                const Which& which) {
    if (which.id.empty()) {
        return ledger::NotificationKey{which.system, which.kind, which.subject,
                                       moment_text_or_stop("--occurrence", which.occurrence)};
    }
    const auto detail = ledger::find_notification(connection, job_id_or_stop(which.id), {});
    if (!detail) return std::nullopt;
    return detail->key;
}

Record to_record(const ledger::NotificationDetail& detail, bool changed) {
    return {{"id", detail.id},
            {"changed", changed},
            {"system", detail.key.system},
            {"kind", detail.key.kind},
            {"subject", std::string{ledger::plain_subject(detail.key.subject)}},
            {"occurrence", detail.key.occurrence},
            {"due_at", detail.due_at},
            {"state", detail.state}};
}

std::string to_sentence(ledger::Edit edit, const std::string& state) {
    if (edit == ledger::Edit::past_expiry) {
        return "it would have expired when it is due: nothing was changed; give it a later "
               "--expires-at";
    }
    return fmt::format("it is {}: nothing was changed", state);
}

/// Prints what the notification is now; ends the command when it was not changed.
int report_edit(const Globals& globals, const std::optional<ledger::NotificationDetail>& now,
                ledger::Edit edit) {
    if (!now || edit == ledger::Edit::unknown) {
        throw Stop{exit_rejected,
                   "no such notification in the ledger; see fanfare notifications "
                   "--all"};
    }
    const bool changed = edit == ledger::Edit::done;
    if (changed || globals.json) print({to_record(*now, changed)}, globals.json, "");
    if (!changed) throw Stop{exit_rejected, to_sentence(edit, now->state)};
    return exit_ok;
}

/// Changes one: `edit(connection, key, id)`.
template <class Work>
int change_one(Ledger& ledger, const Globals& globals, const Which& which, const Work& edit) {
    auto done = ledger::Edit::unknown;
    const auto now = ledger.run("change a notification", [&](auto& connection) {
        const auto key = find_key(connection, which);
        if (!key) return std::optional<ledger::NotificationDetail>{};
        const auto id = derived_id(ledger::derivation_name(*key));
        done = edit(connection, *key, id);
        return ledger::find_notification(connection, id, {});
    });
    return report_edit(globals, now, done);
}

void expect_one(const Which& which) {
    const bool by_key = !which.system.empty() && !which.kind.empty() && !which.subject.empty() &&
                        !which.occurrence.empty();
    const bool any_key = !which.system.empty() || !which.kind.empty() || !which.subject.empty() ||
                         !which.occurrence.empty();
    if (which.id.empty() ? by_key : !any_key) return;
    throw Stop{exit_usage,
               "say which one: its id, or all of --system, --kind, --subject and --occurrence"};
}

int reschedule(const Globals& globals, const Which& which, const Move& move) {
    expect_one(which);
    if (move.due_at.empty() && move.expires_at.empty()) {
        throw Stop{exit_usage, "say when: --due-at, --expires-at, or both"};
    }
    const ledger::NewMoment moment{moment_text_or_stop("--due-at", move.due_at),
                                   moment_text_or_stop("--expires-at", move.expires_at), "", ""};
    Ledger ledger{load_settings_or_stop(globals)};
    return change_one(ledger, globals, which, [&](auto& connection, const auto&, const auto& id) {
        return ledger::reschedule_notification(connection, id, moment, by);
    });
}

int send_now(const Globals& globals, const Which& which) {
    expect_one(which);
    Ledger ledger{load_settings_or_stop(globals)};
    return change_one(ledger, globals, which, [&](auto& connection, const auto&, const auto& id) {
        return ledger::send_notification_now(connection, id, by);
    });
}

/// Everything pending of a subject, or of one kind of it.
int cancel_subject(Ledger& ledger, const Globals& globals, const Which& which,
                   const Systems& systems) {
    const auto records = ledger.run("cancel a subject", [&](auto& connection) {
        std::vector<Record> cancelled;
        for (const auto& key :
             ledger::open_of_subject(connection, which.system, which.subject, which.kind, {})) {
            const auto done = ledger::cancel_notification(connection, systems, key, {}, by);
            const auto id = derived_id(ledger::derivation_name(key));
            const auto now = ledger::find_notification(connection, id, {});
            if (now) cancelled.push_back(to_record(*now, done == ledger::Edit::done));
        }
        return cancelled;
    });
    print(records, globals.json, "nothing of it is pending");
    return exit_ok;
}

int cancel(const Globals& globals, const Which& which) {
    const bool whole = which.id.empty() && which.occurrence.empty();
    if (whole && (which.system.empty() || which.subject.empty())) {
        throw Stop{exit_usage,
                   "say what to cancel: an id; or --system and --subject for all of a subject, "
                   "with --kind what is of that kind, with --occurrence that one moment"};
    }
    if (!whole) expect_one(which);
    const auto settings = load_settings_or_stop(globals);
    const auto systems = load_systems_or_stop(settings);
    if (which.id.empty()) check_known(which, systems);
    Ledger ledger{settings};
    if (whole) return cancel_subject(ledger, globals, which, systems);
    return change_one(ledger, globals, which, [&](auto& connection, const auto& key, const auto&) {
        check_known({.id = {}, .system = key.system, .kind = {}, .subject = {}, .occurrence = {}},
                    systems);
        return ledger::cancel_notification(connection, systems, key, {}, by);
    });
}

void add_which(const Command& command, Which& which) {
    command.option("id", which.id, "Its id, as `fanfare notifications` lists it (job)");
    command.option("--system", which.system, "Or its key: the system ...");
    command.option("--kind", which.kind, "... the kind ...");
    command.option("--subject", which.subject, "... the subject ...");
    command.option("--occurrence", which.occurrence, "... and the moment it is about");
}

}  // namespace

void add_notifications(const Command& app, Globals& globals) {
    const auto command = app.command("notifications", "What is due next; cancel or move it");
    auto limit = std::make_shared<int>(50);
    auto all = std::make_shared<bool>(false);
    command.option("-n,--limit", *limit, "How many").within(1, 100'000).shows_default();
    command.flag("-a,--all", *all, "Published, cancelled and expired ones too");
    choose(command, globals, [&globals, limit, all] { return list(globals, *limit, *all); });
    auto which = std::make_shared<Which>();
    const auto stop = command.command(
        "cancel", "Cancel one for good, with its job; or all that is pending of a subject");
    add_which(stop, *which);
    choose(stop, globals, [&globals, which] { return cancel(globals, *which); });
    auto move = std::make_shared<Move>();
    const auto later = command.command("reschedule", "Make one due at another moment");
    add_which(later, *which);
    later.option("--due-at", move->due_at, "When it is due: 2026-11-20T19:30:00Z");
    later.option("--expires-at", move->expires_at, "From when on nobody is told");
    choose(later, globals, [&globals, which, move] { return reschedule(globals, *which, *move); });
    const auto now = command.command("send-now", "Make one due at once");
    add_which(now, *which);
    choose(now, globals, [&globals, which] { return send_now(globals, *which); });
}

}  // namespace fanfare::cli
