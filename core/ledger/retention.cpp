#include "core/ledger/retention.hpp"

#include "core/systems/system.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

constexpr int jobs_at_once = 500;
// Nobody who sends waits for an old chunk; who does wait for one, a receipt say, does so briefly.
constexpr const char* limits =
    "SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '10min'";

/// The first moment that is kept; `days` is a parameter. The day of a job alone would not do: it
/// may have been sent long after it was taken.
#define FANFARE_KEPT_SINCE(days)                                       \
    "(SELECT (date_trunc('day', app_now() AT TIME ZONE 'UTC') - " days \
    "::int * interval '1 day') AT TIME ZONE 'UTC')"
#define FANFARE_OLD_DAY(days)                                                               \
    "j.dropped_at IS NULL AND j.day < (SELECT (app_now() AT TIME ZONE 'UTC')::date - " days \
    "::int) "
/// Of a job `j`: nothing more comes of it. A chunk that is not done is looked for whatever the
/// job's own word is.
#define FANFARE_DROPPABLE(days) \
    "(j.state IN ('done', 'failed') OR (j.state = 'cancelled' AND j.settled_at IS NOT NULL)) " \
    "AND coalesce(j.finished_at, j.created_at) < " FANFARE_KEPT_SINCE(days)                \
    " AND (j.write_back_at IS NULL OR j.state <> 'done') "                                 \
    "AND NOT EXISTS (SELECT FROM chunk c WHERE c.job_id = j.id AND c.state <> 'done') "    \
    "AND NOT EXISTS (SELECT FROM job r WHERE r.origin = j.id AND r.dropped_at IS NULL) "

/// Locks droppable jobs of the oldest day that has any, and says which to drop now.
std::string lock_jobs(pqxx::work& work, int keep, std::int64_t chunks_max, bool& more) {
    const auto rows = work.exec_params(
        "SELECT j.id, greatest(j.plan_chunks[1] + j.plan_chunks[2] + j.plan_chunks[3], 1) "
        "FROM job j WHERE " FANFARE_OLD_DAY("$1") "AND " FANFARE_DROPPABLE(
            "$1") "ORDER BY j.day LIMIT $2 FOR UPDATE OF j SKIP LOCKED",
        keep, jobs_at_once);
    more = rows.size() == jobs_at_once;
    postgres::ArrayLiteral ids;
    std::int64_t chunks = 0;
    for (const auto& row : rows) {
        if (chunks > 0 && chunks + row[1].as<std::int64_t>() > chunks_max) {
            more = true;
            break;
        }
        chunks += row[1].as<std::int64_t>();
        ids.add(row[0].c_str());
    }
    // Looked at once more, now that nobody changes them: whoever replays one holds this lock.
    const auto sure = work.exec_params(
        "SELECT array_agg(j.id) FROM job j WHERE j.id = ANY($2::uuid[]) AND " FANFARE_DROPPABLE(
            "$1") "AND pg_try_advisory_xact_lock(hashtextextended('replay/' || j.id, 0))",
        keep, ids.text());
    return sure[0][0].is_null() ? std::string{} : sure[0][0].c_str();
}

}  // namespace

Dropped& Dropped::operator+=(const Dropped& other) {
    jobs += other.jobs;
    chunks += other.chunks;
    more = other.more;
    return *this;
}

std::vector<OldDay> old_days(Connection& connection, std::chrono::days keep, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT day, count(*) FILTER (WHERE goes), coalesce(sum(people) FILTER (WHERE goes), 0), "
        "count(*) FILTER (WHERE NOT goes) FROM (SELECT j.day, "
        "  j.planned[1] + j.planned[2] + j.planned[3] AS people, " FANFARE_DROPPABLE("$1")
        "AS goes FROM job j WHERE " FANFARE_OLD_DAY(
            "$1") ") old GROUP BY day ORDER BY day LIMIT $2",
        keep.count(), limit);
    std::vector<OldDay> days;
    for (const auto& row : rows) {
        days.push_back({row[0].c_str(), row[1].as<std::int64_t>(), row[2].as<std::int64_t>(),
                        row[3].as<std::int64_t>()});
    }
    return days;
}

Dropped drop_old_jobs(Connection& connection, std::chrono::days keep, std::int64_t chunks_max) {
    pqxx::work work{connection.raw()};
    work.exec(limits);
    Dropped dropped;
    const auto ids = lock_jobs(work, static_cast<int>(keep.count()), chunks_max, dropped.more);
    if (ids.empty()) return {};
    for (const auto* const table : {"chunk_filter", "address_owner", "early_receipt"}) {
        work.exec_params(fmt::format("DELETE FROM {} WHERE job_id = ANY($1::uuid[])", table), ids);
    }
    dropped.chunks = static_cast<std::int64_t>(
        work.exec_params("DELETE FROM chunk WHERE job_id = ANY($1::uuid[])", ids).affected_rows());
    // Who it was for and what it said are theirs, whom nobody knows any more.
    dropped.jobs = static_cast<std::int64_t>(
        work.exec_params("UPDATE job SET dropped_at = app_now(), "
                         "body = body - 'audience' - 'data' WHERE id = ANY($1::uuid[])",
                         ids)
            .affected_rows());
    work.commit();
    return dropped;
}

std::size_t drop_leftovers(Connection& connection, std::chrono::days keep, int limit) {
    pqxx::nontransaction work{connection.raw()};
    // The orders whose job is still kept, or is yet to come, keep their keys.
    const auto requests = work.exec_params(
        "DELETE FROM api_request WHERE ctid = ANY(ARRAY(SELECT r.ctid FROM api_request r "
        "  WHERE r.created_at < " FANFARE_KEPT_SINCE("$1")
        "  AND (r.taken_at IS NOT NULL OR r.body IS NULL) "
        "  AND NOT EXISTS (SELECT FROM job j WHERE j.id = r.job_id AND j.dropped_at IS NULL) "
        "  AND NOT EXISTS (SELECT FROM notification n WHERE n.job_id = r.job_id "
        "   AND n.state IN ('scheduled', 'publishing')) "
        "  LIMIT $2 FOR UPDATE OF r SKIP LOCKED))",
        keep.count(), limit);
    const auto bounces = work.exec_params(
        "DELETE FROM soft_bounce WHERE ctid = ANY(ARRAY(SELECT s.ctid FROM soft_bounce s "
        "  WHERE s.last_at < " FANFARE_KEPT_SINCE("$1") " LIMIT $2 FOR UPDATE SKIP LOCKED))",
        keep.count(), limit);
    const auto places = work.exec_params(
        "DELETE FROM counted_send WHERE ctid = ANY(ARRAY(SELECT s.ctid FROM counted_send s "
        "  WHERE s.sent_at < " FANFARE_KEPT_SINCE("$1")
        "  AND s.sent_at < app_now() - $3 * interval '1 hour' "
        "  LIMIT $2 FOR UPDATE SKIP LOCKED))",
        keep.count(), limit, Cap::window_max.count());
    return requests.affected_rows() + bounces.affected_rows() + places.affected_rows();
}

std::vector<std::string> dropped_jobs(Connection& connection,
                                      const std::vector<std::string>& jobs) {
    std::vector<std::string> dropped;
    if (jobs.empty()) return dropped;
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT id FROM job WHERE id = ANY($1::uuid[]) AND dropped_at IS NOT NULL ORDER BY id",
        postgres::to_array_literal(jobs));
    for (const auto& row : rows) dropped.emplace_back(row[0].c_str());
    return dropped;
}

}  // namespace fanfare::ledger
