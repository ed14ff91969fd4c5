#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// How the ledger's jobs are cut into chunks. Functions block, throw what libpqxx throws, and
/// belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

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

/// The same of many in one statement; of those that are free, in no order. A row that somebody else
/// has locked is left out, and so is a job of many bytes: these are claimed one by one.
[[nodiscard]] std::vector<PlanTask> claim_plans(Connection& connection,
                                                std::span<const std::string> ids,
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
/// Those whose planner died, never began or gave up for a while; the most urgent first. Where they
/// are of several systems, none has more than a quarter before all others have theirs.
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

/// A plan that was read to its end before anything of it was written.
struct WholePlan {
    PlanTask task;  // As it is when its chunks are written.
    Lane lane = Lane::normal;
    std::vector<NewChunk> chunks;  // None: its audience is empty.
};
/// Writes many and finishes them, in one transaction. Returns the jobs of which it did: the others
/// were taken over, or cancelled.
[[nodiscard]] std::vector<std::string> write_whole_plans(Connection& connection,
                                                         std::span<const WholePlan> plans,
                                                         std::chrono::milliseconds republish_after);

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

/// As if it had not been claimed, with which nothing was done yet: it says nothing about the job
/// that somebody claimed it.
void unclaim_plan(Connection& connection, const PlanTask& task);

}  // namespace fanfare::ledger
