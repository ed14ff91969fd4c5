#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/words.hpp"
#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
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
    std::string subject;  // This one and its moments.
    std::string source;   // Whose jobs they are: of a client bound to an owner its own.
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
    std::int64_t elsewhere = 0;  // Left out: the channel that their kind turns to has them.
};
/// Changes nothing. On unchanged tables these are the people whom the replay takes over.
[[nodiscard]] std::vector<ReplayCount> count_replay(Connection& connection,
                                                    const ReplayFilter& filter);

struct ReplayOrder {
    std::string key;  // [1, 100] bytes.
    std::string who;
    std::string because;
    ReplayFilter filter;
    std::optional<std::chrono::seconds> ttl;  // For jobs that have expired.
};
/// Notes the order; its number. Under a key that is known nothing is noted again.
[[nodiscard]] std::int64_t begin_replay(Connection& connection, const ReplayOrder& order);

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

void end_replay(Connection& connection, std::int64_t replay);

/// One replay in a list. Moments are ISO 8601 in UTC, "" for none.
struct ReplayLine {
    std::int64_t id = 0;
    std::string at;
    std::string finished_at;
    std::string who;
    std::string because;
    std::string filter;  // JSON.
    std::int64_t jobs = 0;
    std::int64_t people = 0;
};
[[nodiscard]] std::vector<ReplayLine> list_replays(Connection& connection, int limit);

/// The jobs that have taken people of this one over, the oldest first, and how many.
struct TakenOver {
    std::string job;
    std::int64_t people = 0;
};
[[nodiscard]] std::vector<TakenOver> replays_of(Connection& connection, const std::string& job);

}  // namespace fanfare::ledger
