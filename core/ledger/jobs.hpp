#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"
#include "core/wire/job.hpp"

#include <pqxx/transaction>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The ledger's jobs. Functions block, throw what libpqxx throws, and belong inside
/// postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// A job as it came.
struct NewJob {
    Job job;                   // Resolved, its expiry settled.
    std::string list;          // What its recipients may unsubscribe from; "": nothing.
    bool writes_back = false;  // Its system is to hear when it is done.
    std::string digest;        // digest_of_order(); "": not known.
    std::string origin;        // The record that it stands in; "": not known.
    std::string trace{};       // encode_trace(); "": of none. No part of the order.
};
struct TakenJob {
    enum class How : std::uint8_t {
        added,
        repeated,    // Known already: nothing is to be done again.
        key_reused,  // Its id, or its source's key, is that of another job.
    };
    How how = How::added;
    std::string id;  // As it is known; "" for key_reused.
};
/// Takes a job into the ledger. Keys are per source: where another source has the same key for
/// something else, the job gets an id of its own, the same each time. The key of a job that
/// failed and told nobody is free again, also for another order.
[[nodiscard]] TakenJob take_job(Connection& connection, const NewJob& job);

/// True when it has been taken already, as the same order, and may be under way: read again it is
/// what it was, whatever can be said of it by now.
[[nodiscard]] bool is_taken(Connection& connection, const NewJob& job);

/// The same of whom nothing else is known; false when its id or idempotency key is known already.
[[nodiscard]] bool insert_job(Connection& connection, const Job& job, const std::string& list = {},
                              bool writes_back = false);

/// A job as sending needs it.
struct JobRow {
    std::string body;                           // encode_job()
    std::string state;                          // job_state
    std::optional<std::int64_t> own_templates;  // load_templates(); nothing: the shipped ones.
    TimePoint created_at{};
    std::string origin;  // The first of the jobs whose people it took over; else its own id.
    std::string trace;   // encode_trace(); "": of none.
};
[[nodiscard]] std::optional<JobRow> load_job(Connection& connection, const std::string& id);

/// True when a job was cancelled meanwhile.
[[nodiscard]] bool is_cancelled(Connection& connection, const std::string& id);

/// The right to plan one job, and where planning stands.
struct PlanTask {
    std::string job;
    std::string body;
    std::int32_t epoch = 0;
    std::int32_t unheard = 0;   // Claims in a row, this one included, without a word since.
    std::int32_t failures = 0;  // In a row, without a step forward.
    std::string cursor;         // Last recipient written.
    std::array<std::int32_t, channel_count> chunks{};   // Written, by channel.
    std::array<std::int64_t, channel_count> planned{};  // Recipients, by channel.
    std::int64_t left_out = 0;                          // Ids up to the cursor that are too long.
    std::optional<std::int64_t> own_templates;          // load_templates(); nothing: shipped ones.
    std::string trace;                                  // encode_trace(); "": of none.
};
/// Claims planning of one job, if nobody holds it. With it goes the version of its owner's
/// templates that counts now; once a chunk is written the job keeps it for good.
[[nodiscard]] std::optional<PlanTask> claim_plan(Connection& connection, const std::string& id,
                                                 std::chrono::milliseconds lease);

/// Makes the lease of a plan in hand new. False when it is lost: taken over, or the job is over.
[[nodiscard]] bool keep_plan(Connection& connection, const std::string& job, std::int32_t epoch,
                             std::chrono::milliseconds lease);
/// The same, and where planning stands: after a fault nobody knows what was written last.
[[nodiscard]] std::optional<PlanTask> look_again(Connection& connection, const PlanTask& task,
                                                 std::chrono::milliseconds lease);

/// A job in planning that nobody plans.
struct UnplannedJob {
    std::string id;
    Lane lane = Lane::normal;
    bool operator==(const UnplannedJob&) const = default;
};
/// Those whose planner died, never began or gave up for a while; the most urgent first.
[[nodiscard]] std::vector<UnplannedJob> unplanned_jobs(Connection& connection, int limit);

/// One chunk about to be written.
struct NewChunk {
    Channel channel = Channel::email;
    std::int32_t number = 0;
    std::int32_t size = 0;
    std::string recipients;  // PostgreSQL array literal.
    DoubtPolicy on_doubt = DoubtPolicy::hold;
};
/// Writes chunks and the new cursor in one transaction. False when the plan was taken over
/// or the job cancelled: stop planning.
[[nodiscard]] bool write_plan(Connection& connection, const PlanTask& task, Lane lane,
                              std::span<const NewChunk> chunks, std::chrono::milliseconds lease,
                              std::chrono::milliseconds republish_after);
/// The audience is complete. False as above.
[[nodiscard]] bool finish_plan(Connection& connection, const PlanTask& task);

/// Why planning did not come to its end, and what follows.
struct PlanFailure {
    std::string why;                    // For a person.
    bool counts = true;                 // An outage is nobody's failure.
    bool final = false;                 // Given up; otherwise tried again ...
    std::chrono::milliseconds wait{0};  // ... after this, unless the job expires before.
};
/// Notes it. A plan that is given up ends: the job is failed, at once where nothing was written,
/// otherwise when what was written is settled. True when it was given up.
bool fail_plan(Connection& connection, const PlanTask& task, const PlanFailure& failure);

/// Gives up the plans that failed before and whose job has expired meanwhile; returns how many.
std::size_t end_expired_plans(Connection& connection);

/// Planning cannot go on yet: anybody may claim it again after `wait`. Costs no attempt.
void postpone_plan(Connection& connection, const PlanTask& task, std::chrono::milliseconds wait);

/// Ends jobs (`ids`: an array literal), those of notifications also before a worker has taken them:
/// nothing of theirs is claimed any more. Returns how many.
std::size_t stop_jobs(pqxx::transaction_base& work, const std::string& ids);

/// Ends what came before `job` about its subject and that one's moments ("<subject>:..."), of these
/// kinds: scheduled notifications and what of their jobs nobody has claimed are cancelled. Returns
/// how many chunks are in a worker's hands at this moment; those are settled when it records, or
/// within a lease.
std::int64_t cancel_earlier(Connection& connection, const Job& job,
                            std::span<const std::string> kinds);

/// A job whose every chunk is settled, and what became of its people.
struct EndedJob {
    std::string id, system, kind;
    std::string state;   // done, failed, cancelled
    double seconds = 0;  // Since its first row in the ledger.
    std::array<std::int64_t, outcome_count> outcomes{};
    std::string trace{};  // encode_trace(); "": of none.
};

/// Closes those jobs whose every chunk is settled, as failed where planning was given up; those
/// that were cancelled are settled then. With no ids: all.
std::vector<EndedJob> finish_jobs(Connection& connection, std::span<const std::string> ids);

/// "3 sent, 1 failed": those that are not 0.
[[nodiscard]] std::string describe(const std::array<std::int64_t, outcome_count>& outcomes);

}  // namespace fanfare::ledger
