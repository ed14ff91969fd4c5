#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"
#include "core/wire/job.hpp"

#include <pqxx/transaction>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
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

/// The same of many: what nothing stands in the way of by one statement. Each result stands where
/// its job does. Throws where any single one cannot be stored.
[[nodiscard]] std::vector<TakenJob> take_jobs(Connection& connection,
                                              std::span<const NewJob* const> jobs);

/// True when it has been taken already, as the same order, and may be under way: read again it is
/// what it was, whatever can be said of it by now.
[[nodiscard]] bool is_taken(Connection& connection, const NewJob& job);

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
/// The same of many, by id: those that there are.
[[nodiscard]] std::map<std::string, JobRow> load_jobs(Connection& connection,
                                                      std::span<const std::string> ids);

/// True when a job was cancelled meanwhile.
[[nodiscard]] bool is_cancelled(Connection& connection, const std::string& id);

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
