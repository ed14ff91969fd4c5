#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"

#include <pqxx/transaction_base>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Where jobs stand, for people. Functions block, throw what libpqxx throws, and belong
/// inside postgres::Pool::call().
namespace fanfare::ledger {

using postgres::Connection;

/// One channel of one job: planned is the sum of all outcomes, always.
struct ChannelProgress {
    std::string channel;
    std::int64_t chunks = 0;
    std::int64_t chunks_done = 0;
    std::int64_t planned = 0;
    std::array<std::int64_t, outcome_count> outcomes{};  // By Outcome.
    std::optional<double> waits_s;  // Until somebody is tried again; none while anybody may be now.
};

/// A job that took people of another one over (core/ledger/replays.hpp), and how many.
struct TakenOver {
    std::string job;
    std::int64_t people = 0;
};

struct JobProgress {
    std::string job;
    std::string system;
    std::string kind;
    std::string subject;  // What it is about; "": nothing in particular.
    std::string title;    // As its data says; "": it does not.
    std::string state;    // job_state
    std::string created_at;
    double age_s = 0;
    double took_s = 0;  // Until it was finished, or until now.
    std::string failure;
    bool planned = false;       // The audience is complete.
    bool incomplete = false;    // It never will be: who is in no chunk is not told.
    std::int64_t left_out = 0;  // Ids of it that are too long.
    std::vector<ChannelProgress> channels;
    std::string dropped_at;  // Since then these are no longer kept (retention.hpp); "": are.
    std::string replay_of;   // The job whose people it took over; "": none.
    std::vector<TakenOver> replays;  // Those that took people of this one over, the oldest first;
                                     // only of one job that is looked up.
};
/// Nothing when no such job was accepted (yet). Within `work` three statements, which fit together
/// where it is a Snapshot.
[[nodiscard]] std::optional<JobProgress> load_progress(Connection& connection,
                                                       const std::string& job);
[[nodiscard]] std::optional<JobProgress> load_progress(pqxx::transaction_base& work,
                                                       const std::string& job);

/// Which jobs of a list, newest first. Fields that are "" do not filter.
struct JobFilter {
    std::string system;
    std::string kind;
    std::string state;
    std::string since;          // When they were taken in, ISO 8601 with a zone.
    bool has_failures = false;  // Somebody of them has failed, or is in doubt.
    std::string before_at;      // The last job of the page before ...
    std::string before_id;      // ... and its id.

    [[nodiscard]] bool is_narrow() const {
        return !system.empty() || !kind.empty() || !state.empty() || !since.empty() || has_failures;
    }
};
/// The latest jobs, newest first.
[[nodiscard]] std::vector<JobProgress> latest_progress(Connection& connection,
                                                       const JobFilter& filter, int limit);

/// What was scheduled and sent about a subject and its moments ("<subject>:1h"), as of one moment:
/// jobs, the newest `limit`, and how many notifications are in which state. `sources` as in
/// AccessFilter.
struct SubjectProgress {
    std::vector<JobProgress> jobs;
    std::map<std::string, std::int64_t> notifications;
};
[[nodiscard]] SubjectProgress progress_about(Connection& connection, const std::string& system,
                                             const std::string& subject, const std::string& sources,
                                             int limit);

/// What became of one person.
struct ChannelFate {
    std::string channel;
    Outcome outcome = Outcome::pending;
    Reason reason = Reason::none;
    Reason cause = Reason::none;  // What lies behind the reason: decisions/0006-ledger-shape.md.
    std::string provider_id;
    std::string account;
    std::int32_t attempts = 0;
    std::int32_t chunk = 0;
    std::string updated_at;
};
/// One entry for each channel the person is planned on; none: not in the audience.
[[nodiscard]] std::vector<ChannelFate> find_fate(Connection& connection, const std::string& job,
                                                 const std::string& recipient);
[[nodiscard]] std::vector<ChannelFate> find_fate(pqxx::transaction_base& work,
                                                 const std::string& job,
                                                 const std::string& recipient);

/// The same, through all jobs that took the person over from one another, the oldest first.
struct FateInJob {
    std::string job;
    ChannelFate fate;
};
[[nodiscard]] std::vector<FateInJob> find_chain(Connection& connection, const std::string& job,
                                                const std::string& recipient);
[[nodiscard]] std::vector<FateInJob> find_chain(pqxx::transaction_base& work,
                                                const std::string& job,
                                                const std::string& recipient);

/// Stops a job that is being planned or sent. False when there is none such.
[[nodiscard]] bool cancel_job(Connection& connection, const std::string& job);

/// What the audit of the ledger came to.
struct Audit {
    std::int64_t jobs = 0;
    std::int64_t chunks = 0;
    std::int64_t recipients = 0;
    std::vector<std::string> differences;  // A sentence each; at most `differences_max`.
    static constexpr std::size_t differences_max = 1'000;
};
/// Reads every chunk of one job (or of all, with "") and compares: what was planned, what the
/// outcome bytes say, what the tallies say, and that nobody is in two chunks of a channel.
///
/// Bounds    500 chunks in memory; their recipients stay in the database.
[[nodiscard]] Audit audit(Connection& connection, const std::string& job);

}  // namespace fanfare::ledger
