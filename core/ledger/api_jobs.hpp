#pragma once

#include "core/ledger/progress.hpp"
#include "core/postgres/connection.hpp"

#include <pqxx/transaction_base>

#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

/// What backends order and ask of jobs through the HTTP API. Functions block, throw what libpqxx
/// throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// What a client may see: array literals, "" for everything.
struct AccessFilter {
    std::string systems;
    std::string sources;
};

/// One creation as it is asked for.
struct NewRequest {
    std::string owner;
    std::string key;     // Of the owner's own.
    std::string digest;  // Of what is asked for.
    std::string job;
    std::string body;     // The job as it is to be published; "": none.
    std::string trace{};  // encode_trace(), to be published with it; no part of what is asked for.
};
/// What is known of a creation: this one, or an earlier one with its key.
struct KnownRequest {
    bool same = true;        // False: the earlier one asked for something else.
    bool is_new = true;      // It was not known before.
    bool published = false;  // The broker has acknowledged the job, and it is not lost since.
    std::string job;
    std::string body;
    std::string refusal_code;  // Of a job that a worker put among the dead letters; "": none.
    std::string refusal;
    std::string trace;
};
/// Remembers a creation by (owner, key). A job that was published longer than `lost_after` ago and
/// that no worker has taken is lost.
[[nodiscard]] KnownRequest remember_request(Connection& connection, const NewRequest& request,
                                            std::chrono::milliseconds lost_after);
/// The same where it is only looked at; nothing where there was none with this key.
[[nodiscard]] std::optional<KnownRequest> find_request(Connection& connection,
                                                       const NewRequest& request,
                                                       std::chrono::milliseconds lost_after);
/// Marks it as published now.
void mark_request_published(Connection& connection, const std::string& owner,
                            const std::string& key);

/// One job in a list. Moments are ISO 8601 in UTC, "" for none.
struct JobLine {
    std::string id;
    std::string system;
    std::string kind;
    std::string subject;
    std::string title;  // As its data says; "": it does not.
    std::string lane;
    std::string source;
    std::string state;  // job_state, or "accepted": no worker has taken it yet; "failed" also
                        // for one that a worker refused.
    std::string created_at;
    std::string planned_at;
    std::string finished_at;
    std::string expires_at;
    std::string failure;
    bool incomplete = false;                    // Planning was given up.
    std::int64_t left_out = 0;                  // Ids of its audience that are too long.
    std::optional<std::int64_t> own_templates;  // The version of its owner's texts that it says.
    std::string replay_of;                      // The job whose people it took over.
    std::string dropped_at;                     // Since then nobody knows whom it was for.
};
[[nodiscard]] std::optional<JobLine> find_job(Connection& connection, const std::string& id,
                                              const AccessFilter& access);
[[nodiscard]] std::optional<JobLine> find_job(pqxx::transaction_base& work, const std::string& id,
                                              const AccessFilter& access);

/// Of `ids` those that find_job() would find.
[[nodiscard]] std::set<std::string> jobs_in_sight(Connection& connection,
                                                  std::span<const std::string> ids,
                                                  const AccessFilter& access);

/// A job and how far it is, as of one moment.
struct JobDetail {
    JobLine line;
    std::optional<JobProgress> progress;  // Nothing: no worker has taken it yet.
    std::string audience;                 // As it was ordered, JSON.
    std::string data;                     // JSON.
};
[[nodiscard]] std::optional<JobDetail> find_job_detail(Connection& connection,
                                                       const std::string& id,
                                                       const AccessFilter& access);

/// A job and what became of one person in it, as of one moment.
struct PersonInJob {
    JobLine line;
    std::vector<ChannelFate> fates;
    std::vector<FateInJob> chain;  // Through all jobs that took them over, this one included.
};
[[nodiscard]] std::optional<PersonInJob> find_person_in_job(Connection& connection,
                                                            const std::string& id,
                                                            const std::string& recipient,
                                                            const AccessFilter& access);

/// One of a page of jobs, and how many messages of it are planned and settled, have failed or are
/// in doubt.
struct ListedJob {
    JobLine line;
    std::int64_t planned = 0;
    std::int64_t settled = 0;
    std::int64_t failed = 0;
    std::int64_t unknown = 0;
};
[[nodiscard]] std::vector<ListedJob> list_jobs(Connection& connection, const AccessFilter& access,
                                               const JobFilter& filter, int limit);

/// A job that may be on its way to a worker.
struct PendingJob {
    std::string id;
    std::string body;  // encode_job()
};
/// Cancels a job whether a worker has taken it or not: with `pending`, or one remembered by
/// remember_request(), a job that comes later is known already, and cancelled. True unless it
/// is over.
bool cancel_wherever(Connection& connection, const std::string& id,
                     const std::optional<PendingJob>& pending = std::nullopt);
bool cancel_wherever(pqxx::transaction_base& work, const std::string& id,
                     const std::optional<PendingJob>& pending);

}  // namespace fanfare::ledger
