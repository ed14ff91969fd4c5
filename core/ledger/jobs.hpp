#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/words.hpp"
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

/// Inserts an accepted job; false when its id or idempotency key is known already. `list` is
/// what its recipients may unsubscribe from; "": nothing. `writes_back`: its system is to hear when
/// it is done.
[[nodiscard]] bool insert_job(Connection& connection, const Job& job, std::string_view body,
                              std::string_view list = {}, bool writes_back = false);

/// A job as sending needs it.
struct JobRow {
    std::string body;                           // encode_job()
    std::string state;                          // job_state
    std::optional<std::int64_t> own_templates;  // load_templates(); nothing: the shipped ones.
    TimePoint created_at{};
};
[[nodiscard]] std::optional<JobRow> load_job(Connection& connection, const std::string& id);

/// True when a job was cancelled meanwhile.
[[nodiscard]] bool is_cancelled(Connection& connection, const std::string& id);

/// The right to plan one job, and where planning stands.
struct PlanTask {
    std::string job;
    std::string body;
    std::int32_t epoch = 0;
    std::int32_t attempts = 0;
    std::string cursor;                                 // Last recipient written.
    std::array<std::int32_t, channel_count> chunks{};   // Written, by channel.
    std::array<std::int64_t, channel_count> planned{};  // Recipients, by channel.
    std::optional<std::int64_t> own_templates;          // load_templates(); nothing: shipped ones.
};
/// Claims planning of one job, if nobody holds it. With it goes the version of its owner's
/// templates that counts now; once a chunk is written the job keeps it for good.
[[nodiscard]] std::optional<PlanTask> claim_plan(Connection& connection, const std::string& id,
                                                 std::chrono::milliseconds lease);

/// Jobs in planning that nobody plans (their planner died, or never began).
[[nodiscard]] std::vector<std::string> unplanned_jobs(Connection& connection);

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
/// Planning failed: tried again after `wait`, unless `final` and nothing is planned yet.
void fail_plan(Connection& connection, const PlanTask& task, const std::string& why, bool final,
               std::chrono::milliseconds wait);

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

/// Closes those jobs whose every chunk is settled; returns how many. With no ids: all open.
std::size_t finish_jobs(Connection& connection, std::span<const std::string> ids);

}  // namespace fanfare::ledger
