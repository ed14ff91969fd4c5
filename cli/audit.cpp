// audit: what the ledger says of a job beside what a provider's log says of it.
#include "cli/audit_book.hpp"
#include "cli/audit_log.hpp"
#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "core/ledger/deliveries.hpp"
#include "core/reference/reference.hpp"
#include "core/wire/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <tuple>

namespace fanfare::cli {
namespace {

constexpr std::size_t people_at_once = 5'000;
constexpr std::size_t out_bytes_at_once = 65'536;

struct AuditOptions {
    std::string job;
    std::vector<std::string> logs;
    std::string channel;
    std::string account;
    std::vector<std::string> accepted;
    std::string out;
};

/// What the ledger was found to say of the job itself.
struct JobFacts {
    std::string id;
    std::string state;
    bool over = false;
    std::vector<std::string> differences;  // Between plan and ledger.
};

struct Audited {
    JobFacts job;
    LogCounts rows;
    AuditSums sums;
    std::uint64_t shared = 0;
    std::vector<std::string> silent;  // Channels of which the log has nobody, and the ledger has.
    [[nodiscard]] bool is_good() const {
        return sums.faults() == 0 && job.differences.empty() && rows.unproven == 0;
    }
};

std::optional<Channel> wanted_channel(const Settings& settings, const AuditOptions& options) {
    if (!options.channel.empty()) {
        if (const auto channel = parse_channel(options.channel)) return channel;
        throw Stop{exit_usage, "a channel is email, sms or push"};
    }
    if (options.account.empty()) return std::nullopt;
    return account_or_stop(settings, options.account).channel;
}

/// A log may be found unreadable before anything is asked.
void check_logs(const AuditOptions& options) {
    if (std::count(options.logs.begin(), options.logs.end(), "-") > 1) {
        throw Stop{exit_usage, "standard input can be one log only"};
    }
    for (const auto& file : options.logs) {
        if (file != "-") std::ignore = open_or_stop(file);
    }
}

ledger::JobProgress find_job(Ledger& ledger, const std::string& id) {
    auto found = ledger.run(
        "look up a job", [&](auto& connection) { return ledger::load_progress(connection, id); });
    if (!found) {
        throw Stop{exit_rejected, fmt::format("no job {} in the ledger", id),
                   "see: fanfare status"};
    }
    if (!found->dropped_at.empty()) throw no_longer_kept(id);
    return std::move(*found);
}

/// A job that was called off or has failed may have requests on their way.
bool has_ended(const ledger::JobProgress& job) {
    if (job.state == "done") return true;
    return is_over(job.state) &&
           std::all_of(job.channels.begin(), job.channels.end(),
                       [](const auto& each) { return each.chunks_done == each.chunks; });
}

void read_people(Ledger& ledger, const std::string& job, std::optional<Channel> channel,
                 const std::string& account, AuditBook& book) {
    const ledger::DeliveryFilter filter{.channel = channel, .outcome = {}};
    ledger::DeliveryCursor cursor;
    std::vector<ledger::Delivery> page;
    for (bool more = true; more;) {
        const auto from = cursor;
        more = ledger.run("read the people of a job", [&](auto& connection) {
            page.clear();
            cursor = from;
            return ledger::read_deliveries(connection, job, filter, cursor, people_at_once, page);
        });
        for (auto& delivery : page) book.add(std::move(delivery), account);
    }
}

void read_logs(const AuditOptions& options, const LogRules& rules, AuditBook& book,
               LogCounts& counts) {
    for (const auto& file : options.logs) {
        std::ifstream stream;
        if (file != "-") stream = open_or_stop(file);
        AuditLog log{file == "-" ? std::cin : stream, rules};
        const auto problem = log.read(book, counts);
        if (problem.empty()) continue;
        throw Stop{exit_rejected,
                   fmt::format("{}: {}", file == "-" ? "standard input" : file, problem)};
    }
    book.close();
}

/// Channels that the logs seem not to be of.
std::vector<std::string> find_silent(const AuditBook& book) {
    std::array<bool, channel_count> missed{};
    std::array<bool, channel_count> heard{};
    for (const auto& person : book.people()) {
        const auto channel = static_cast<std::size_t>(person.channel);
        if (person.told > 0) heard[channel] = true;
        if ((judge(person, true) & bit(AuditSet::falsely_sent)) != 0) missed[channel] = true;
    }
    std::vector<std::string> silent;
    for (const auto channel : channels) {
        const auto index = static_cast<std::size_t>(channel);
        if (missed[index] && !heard[index]) silent.emplace_back(to_string(channel));
    }
    return silent;
}

/// Everyone who is in a set, a line a set.
void write_findings(const std::string& file, const AuditBook& book, bool over) {
    std::ofstream out{file, std::ios::binary | std::ios::trunc};
    std::string lines{"set,channel,recipient,outcome,reason,times\n"};
    for (const auto& person : book.people()) {
        if (person.is_superseded) continue;
        const auto found = judge(person, over);
        for (std::size_t i = 0; i < audit_set_count; ++i) {
            if ((found & (1U << i)) == 0) continue;
            lines += fmt::format("{},{},", to_string(static_cast<AuditSet>(i)),
                                 to_string(person.channel));
            append_csv(person.recipient, lines);
            lines += person.is_stranger
                         ? std::string{",,,"}
                         : fmt::format(",{},{},", to_string(person.outcome),
                                       person.reason == Reason::none ? std::string_view{}
                                                                     : to_string(person.reason));
            lines += fmt::format("{}\n", person.told);
        }
        if (lines.size() < out_bytes_at_once) continue;
        out << lines;
        lines.clear();
    }
    out << lines << std::flush;
    if (!out) throw Stop{exit_no_input, fmt::format("{} cannot be written", file)};
}

std::string describe_verdict(const Audited& audited) {
    const auto& sums = audited.sums;
    if (audited.is_good()) {
        return fmt::format(
            "good: of {} planned the log has {}; nobody is lost, doubled, falsely sent or "
            "unexpected",
            grouped(static_cast<std::int64_t>(sums.planned)),
            grouped(static_cast<std::int64_t>(sums.told)));
    }
    std::string text;
    const auto say = [&text](std::size_t count, std::string_view what) {
        if (count == 0) return;
        text += fmt::format("{}{} {}", text.empty() ? "not good: " : ", ",
                            grouped(static_cast<std::int64_t>(count)), what);
    };
    say(sums.of(AuditSet::lost), "lost");
    say(sums.of(AuditSet::doubled), "doubled");
    say(sums.of(AuditSet::falsely_sent), "falsely sent");
    say(sums.of(AuditSet::unexpected), "unexpected");
    say(audited.job.differences.size(), "differences between plan and ledger");
    say(audited.rows.unproven, "rows that name the job by a reference that was not made here");
    return text;
}

/// What the verdict rests on, and how to go on.
std::vector<std::string> list_notes(const Audited& audited, const AuditOptions& options) {
    std::vector<std::string> notes;
    const auto& sums = audited.sums;
    if (!audited.job.over) {
        notes.push_back(fmt::format(
            "the job is not over ({}): nobody counts as lost yet, and who was sent after the log "
            "was made shows as falsely sent",
            audited.job.state));
    }
    for (const auto& channel : audited.silent) {
        notes.push_back(
            fmt::format("the log has nobody of {}: give its log too (--log), or look "
                        "at one channel (--channel)",
                        channel));
    }
    const auto told = sums.of(AuditSet::unknown_told);
    const auto untold = sums.of(AuditSet::unknown_not_told);
    if (told + untold > 0) {
        notes.push_back(fmt::format("in doubt: {} were told, {} were not", told, untold));
        if (told == 0) {
            notes.push_back(fmt::format(
                "the log has none of them: fanfare replay {} --outcome unknown --include-unknown",
                audited.job.id));
        } else if (untold > 0) {
            notes.push_back(fmt::format(
                "leave those alone who were told; the others are unknown_not_told in {}, whom "
                "fanfare publish --recipients can tell",
                options.out.empty() ? "what --out FILE writes" : options.out));
        }
    }
    if (sums.of(AuditSet::told_again) > 0) {
        notes.push_back(
            "told again is no fault: on_doubt is resend, or push to several devices, which a "
            "column `device` tells apart");
    }
    if (audited.shared > 0) {
        notes.push_back(
            fmt::format("{} people share a message id with others: of them it is known "
                        "only that their request is in the log",
                        audited.shared));
    }
    if (audited.rows.unproven > 0) {
        notes.push_back(
            "references are proven by link_key: was it another one then? For Mailgun the log needs "
            "v:fanfare as `reference` and v:person as `person`; push names no person there: take "
            "`message_id`; without link_key give a column `channel`");
    }
    for (const auto& difference : audited.job.differences) notes.push_back(difference);
    return notes;
}

std::vector<Record> to_records(const AuditSums& sums, bool json) {
    std::vector<Record> records;
    for (std::size_t i = 0; i < audit_set_count; ++i) {
        const bool is_fault = i < audit_fault_count;
        if (!json && !is_fault && sums.people[i] == 0) continue;
        records.push_back({{"set", std::string{to_string(static_cast<AuditSet>(i))}},
                           {"must_be_empty", is_fault},
                           {"people", static_cast<std::int64_t>(sums.people[i])},
                           {"first", sums.first[i]}});
    }
    return records;
}

void show(const Globals& globals, const Audited& audited, const AuditOptions& options) {
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    print(to_records(audited.sums, globals.json), globals.json, "");
    const auto verdict = describe_verdict(audited);
    const auto& rows = audited.rows;
    if (globals.json) {
        print({{{"job", audited.job.id},
                {"state", audited.job.state},
                {"over", audited.job.over},
                {"good", audited.is_good()},
                {"planned", number(audited.sums.planned)},
                {"told", number(audited.sums.told)},
                {"rows", number(rows.rows)},
                {"rows_of_job", number(rows.of_job)},
                {"rows_of_others", number(rows.others)},
                {"rows_not_accepted", number(rows.uncounted)},
                {"rows_unproven", number(rows.unproven)},
                {"verdict", verdict},
                {"notes", list_notes(audited, options)}}},
              true, "");
        return;
    }
    fmt::print("\nlog: {} rows, {} of this job, {} of others or nobody, {} not accepted\n{}\n",
               grouped(number(rows.rows)), grouped(number(rows.of_job)),
               grouped(number(rows.others)), grouped(number(rows.uncounted)), verdict);
    for (const auto& note : list_notes(audited, options)) print_error("  " + note);
}

int audit(const Globals& globals, const AuditOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    const auto id = job_id_or_stop(options.job);
    const auto channel = wanted_channel(settings, options);
    check_logs(options);
    Ledger ledger{settings};
    const auto job = find_job(ledger, id);
    Audited audited{
        .job = {id, job.state, has_ended(job), {}}, .rows = {}, .sums = {}, .silent = {}};
    AuditBook book;
    read_people(ledger, id, channel, options.account, book);
    const References references{settings.link_key};
    auto usual = channel;
    if (!usual && job.channels.size() == 1) usual = parse_channel(job.channels[0].channel);
    LogRules rules{id, channel, usual, options.accepted, &references};
    for (auto& word : rules.accepted) word = lowered(word);
    read_logs(options, rules, book, audited.rows);
    audited.job.differences = ledger.run("verify the ledger", [&](auto& connection) {
        return ledger::audit(connection, id).differences;
    });
    audited.sums = sum_up(book, audited.job.over);
    audited.shared = book.shared();
    audited.silent = find_silent(book);
    if (!options.out.empty()) write_findings(options.out, book, audited.job.over);
    show(globals, audited, options);
    return audited.is_good() ? exit_ok : exit_differs;
}

}  // namespace

void add_audit(const Command& app, Globals& globals) {
    const auto command = app.command(
        "audit",
        "Compare a job with what a provider's log says: who is lost, doubled, falsely sent or "
        "unexpected; exit code 1 if anybody is");
    auto options = std::make_shared<AuditOptions>();
    command.option("job", options->job, "The job's id").required();
    command
        .option("--log", options->logs,
                "CSV with a heading and a row for each accepted message, in a column "
                "`reference`, `recipient` or `message_id`; -: standard input. May be given "
                "again. Memory is taken for everybody of the job, not for the log")
        .required()
        .repeats()
        .takes_one();
    command.option("--channel", options->channel, "Look at this channel only");
    command.option("--account", options->account,
                   "The account whose log it is: others' messages need not be in it");
    command
        .option("--accepted", options->accepted,
                "Rows that count: those with one of these words in the column `status`")
        .repeats()
        .takes_one()
        .cut_at_commas();
    command.option("--out", options->out, "Write everyone who is in a set to this file: CSV");
    choose(command, globals, [&globals, options] { return audit(globals, *options); });
}

}  // namespace fanfare::cli
