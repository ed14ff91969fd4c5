#pragma once

#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What became of people is kept for so many days and then dropped, job by job; why so and not by
/// partitions: docs/decisions/0017-retention.md. Functions block, throw what libpqxx throws, and
/// belong inside postgres::Pool::call().
///
/// A job can be dropped once it is over, was over before the first day that is kept, its system
/// has heard what it wants to hear, and no later job that took people of it over is still kept.
/// Its chunks go, with the addresses claimed for it, receipts that wait for it, and its audience
/// and data. Its row stays. Who unsubscribed and what is suppressed always stay.
namespace fanfare::ledger {

using postgres::Connection;

/// How much goes in one transaction, so that nobody waits long for it.
inline constexpr std::int64_t dropped_chunks_max = 1'000;
inline constexpr int dropped_leftovers_max = 1'000;

/// One day of jobs that are older than what is kept.
struct OldDay {
    std::string day;           // 2026-11-29, in UTC.
    std::int64_t jobs = 0;     // That can be dropped ...
    std::int64_t people = 0;   // ... and who is in them.
    std::int64_t staying = 0;  // Jobs that stay: not over, or not long enough.
};
/// The oldest first, at most `limit`. Changes nothing.
[[nodiscard]] std::vector<OldDay> old_days(Connection& connection, std::chrono::days keep,
                                           int limit);

struct Dropped {
    std::int64_t jobs = 0;
    std::int64_t chunks = 0;
    bool more = false;  // Perhaps: ask again.

    Dropped& operator+=(const Dropped& other);
};

/// Drops jobs of the oldest day of all, in one transaction of about `chunks_max` chunks; of one
/// job always all. It waits for nobody: what is locked is left for the next time.
///
/// Errors  lock_not_available and deadlock_detected where somebody is at work on an old chunk, a
///         receipt say: nothing was dropped, and the next time may be well.
[[nodiscard]] Dropped drop_old_jobs(Connection& connection, std::chrono::days keep,
                                    std::int64_t chunks_max = dropped_chunks_max);

/// Of the same age: keys of orders that were taken, soft bounces, and places under caps that are
/// older than every window, too. At most `limit` of each; how many there were.
[[nodiscard]] std::size_t drop_leftovers(Connection& connection, std::chrono::days keep,
                                         int limit = dropped_leftovers_max);

/// Which of some jobs are no longer kept.
[[nodiscard]] std::vector<std::string> dropped_jobs(Connection& connection,
                                                    const std::vector<std::string>& jobs);

}  // namespace fanfare::ledger
