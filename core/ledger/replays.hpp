#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/ledger/progress.hpp"
#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Replays: exactly the chosen people of jobs are served once more. Functions block, throw what
/// libpqxx throws, and belong inside postgres::Pool::run().
///
///   count_replay() -> begin_replay() -> replay_job() for each of replayable_jobs() -> end_replay()
///
/// Of each old job one new one takes its people over: in one transaction, under the locks of the
/// old job and of its chunks, their old positions become `replayed`, which is final, and the new
/// job's chunks are there. So two replays at once, or one that is broken off and ordered again,
/// tell nobody twice, and in each job planned stays the sum of its outcomes.
namespace fanfare::ledger {

using postgres::Connection;

/// Whom a replay chooses. What is "" or empty does not filter, but for `outcomes`.
struct ReplayFilter {
    std::vector<std::string> jobs;
    std::string system;
    std::string kind;
    std::string subject;               // This one and its moments.
    std::vector<std::string> systems;  // What whoever orders it may touch ...
    std::vector<std::string> sources;  // ... and whose jobs they see.
    std::optional<Channel> channel;
    std::string account;             // That served them last.
    std::vector<Outcome> outcomes;   // Of failed, refused, expired, unknown.
    std::vector<Reason> reasons;     // The reason, or what stands behind it.
    std::optional<TimePoint> since;  // When their outcome was written.
    std::optional<TimePoint> until;
};

/// How many people a filter chooses, of one job, channel, outcome and reason.
struct ReplayCount {
    std::string job;
    std::string system;
    std::string kind;
    Channel channel = Channel::email;
    Outcome outcome = Outcome::failed;
    Reason reason = Reason::none;
    bool has_expired = false;  // Its job: left out unless it is given a new time to live.
    std::int64_t people = 0;
    std::int64_t elsewhere = 0;   // Left out: the channel that their kind turns to has them.
    std::int64_t told_since = 0;  // Left out: a later job about the same has told them.
    std::int64_t called_off = 0;  // Left out: the job was cancelled, or what it was about is gone.
    std::int64_t held = 0;        // Left out: a worker has their chunk at this moment.
};
/// Changes nothing. On unchanged tables these are the people whom the replay takes over.
[[nodiscard]] std::vector<ReplayCount> count_replay(Connection& connection,
                                                    const ReplayFilter& filter);

/// Counts by channel, outcome and reason, over all jobs. People of jobs that have expired are left
/// out unless these are to live anew.
struct ReplaySum {
    std::int64_t jobs = 0;  // With somebody who is taken over.
    std::int64_t people = 0;
    std::int64_t expired = 0;  // Left out, and so are the following.
    std::int64_t elsewhere = 0;
    std::int64_t told_since = 0;
    std::int64_t called_off = 0;
    std::int64_t held = 0;
};
struct ReplaySummary {
    struct Line {
        Channel channel = Channel::email;
        Outcome outcome = Outcome::failed;
        Reason reason = Reason::none;
        ReplaySum sum;
    };
    std::vector<Line> lines;
    ReplaySum all;
};
[[nodiscard]] ReplaySummary sum_up(std::span<const ReplayCount> counts, bool lives_anew);

/// Of the jobs that the filter names those that are not there for whoever orders it.
[[nodiscard]] std::vector<std::string> missing_jobs(Connection& connection,
                                                    const ReplayFilter& filter);

/// People of one job whom the replay would take over on a channel, as their chunks have them.
struct ChosenPeople {
    Channel channel = Channel::email;
    std::vector<std::string> recipients;  // Sorted, at most one chunk's.
};
/// Changes nothing. Ends with the chunk that makes them `limit` people or more.
[[nodiscard]] std::vector<ChosenPeople> chosen_people(Connection& connection,
                                                      const ReplayFilter& filter,
                                                      const std::string& job, std::int64_t limit);

struct ReplayOrder {
    std::string key;  // Not empty.
    std::string who;
    std::string because;
    ReplayFilter filter;
    std::optional<std::chrono::seconds> ttl;  // For jobs that have expired.
    bool unattended = false;  // Any producer carries it out: nobody waits at a terminal.
};
/// An order as it is known: this one, or an earlier one with its key.
struct KnownReplay {
    std::int64_t id = 0;
    bool same = true;       // False: the earlier one asked for something else.
    bool finished = false;  // There is nothing left to do under this key.
};
[[nodiscard]] KnownReplay begin_replay(Connection& connection, const ReplayOrder& order);

/// Jobs in which there may be somebody to take over, the oldest first.
[[nodiscard]] std::vector<std::string> replayable_jobs(Connection& connection,
                                                       const ReplayOrder& order);

/// What became of one old job.
struct ReplayedJob {
    std::string job;  // The new one; "" where there was nobody to take over.
    std::int64_t people = 0;
    std::int64_t held = 0;  // Left out: a worker has their chunk at this moment.
};
[[nodiscard]] ReplayedJob replay_job(Connection& connection, std::int64_t replay,
                                     const ReplayOrder& order, const std::string& job);

void end_replay(Connection& connection, std::int64_t replay, std::int64_t held);

/// Unattended ones that nobody has ended yet, the oldest first.
struct OpenReplay {
    std::int64_t id = 0;
    ReplayOrder order;
};
[[nodiscard]] std::vector<OpenReplay> open_replays(Connection& connection, int limit);

/// One replay in a list. Moments are ISO 8601 in UTC, "" for none.
struct ReplayLine {
    std::int64_t id = 0;
    std::string at;
    std::string finished_at;
    std::string who;
    std::string because;
    std::string filter;  // JSON.
    std::optional<std::int64_t> ttl_s;
    std::int64_t jobs = 0;
    std::int64_t people = 0;
    std::int64_t held = 0;
};
/// A page, the newest first. Array literals, "" for everything: of whoever sees no more than these
/// systems and sources, the replays that were ordered so.
struct ReplayPage {
    std::string systems{};
    std::string sources{};
    std::int64_t before = 0;  // The last one of the page before; 0: from the newest on.
    std::int64_t only = 0;    // This one; 0: all.
};
[[nodiscard]] std::vector<ReplayLine> list_replays(Connection& connection, const ReplayPage& page,
                                                   int limit);

/// The jobs of one replay, the oldest first.
struct ReplayPair {
    std::string job;
    std::string replay_of;
    std::int64_t people = 0;
};
[[nodiscard]] std::vector<ReplayPair> jobs_of_replay(Connection& connection, std::int64_t replay,
                                                     int limit);

/// The jobs that have taken people of this one over, the oldest first, and how many.
[[nodiscard]] std::vector<TakenOver> find_replays(Connection& connection, const std::string& job);
[[nodiscard]] std::vector<TakenOver> find_replays(pqxx::transaction_base& work,
                                                  const std::string& job);

}  // namespace fanfare::ledger
