#include "core/ledger/outcome_lists.hpp"

#include "core/ledger/iso.hpp"
#include "core/ledger/job_lists.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {
namespace {

constexpr int jobs_asked_max = 64;

struct Found {
    std::string id, created_at;
};

/// The next jobs that have somebody of the filter, the newest first.
std::vector<Found> next_jobs(Connection& connection, const AccessFilter& access,
                             const OutcomeJobs& of, const DeliveryFilter& filter,
                             const OutcomeCursor& cursor) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT id, " FANFARE_ISO("created_at") " FROM job WHERE " FANFARE_AMONG("system", "1")
        " AND " FANFARE_AMONG("body ->> 'source'", "2") " AND ($3 = '{}' OR id = ANY($3::uuid[])) "
        "AND ($4 = '' OR system = $4) AND ($5 = '' OR kind = $5) "
        "AND ($6 = '' OR is_about(subject, $6)) "
        "AND ($7 = '' OR created_at >= nullif($7, '')::timestamptz) "
        "AND ($8 = '' OR (created_at, id) < (nullif($8, '')::timestamptz, nullif($9, '')::uuid)) "
        "AND EXISTS (SELECT FROM chunk c WHERE c.job_id = job.id "
        " AND ($10 < 0 OR c.channel = $10) AND ($11 < 0 OR CASE WHEN c.tally IS NULL "
        "  THEN $11 = 0 ELSE c.tally[$11 + 1] > 0 END)) "
        "ORDER BY created_at DESC, id DESC LIMIT $12",
        access.systems, access.sources, postgres::to_array_literal(of.jobs), of.system, of.kind,
        of.subject, of.since, cursor.before_at, cursor.before_id,
        filter.channel ? static_cast<int>(*filter.channel) : -1,
        filter.outcome ? static_cast<int>(*filter.outcome) : -1, jobs_asked_max);
    std::vector<Found> jobs;
    for (const auto& row : rows) jobs.push_back({row[0].c_str(), row[1].c_str()});
    return jobs;
}

}  // namespace

bool read_outcomes(Connection& connection, const AccessFilter& access, const OutcomeJobs& jobs,
                   const DeliveryFilter& filter, OutcomeCursor& cursor, std::size_t limit,
                   std::vector<JobDelivery>& deliveries) {
    const auto found = next_jobs(connection, access, jobs, filter, cursor);
    for (const auto& job : found) {
        if (cursor.job != job.id) {
            cursor.job = job.id;
            cursor.within = {};
        }
        std::vector<Delivery> piece;
        const bool more = read_deliveries(connection, job.id, filter, cursor.within, limit, piece);
        limit -= piece.size();
        for (auto& delivery : piece) deliveries.push_back({job.id, std::move(delivery)});
        if (more) return true;  // The page is full, or enough was looked at.
        cursor = {.before_at = job.created_at, .before_id = job.id, .job = {}, .within = {}};
    }
    return found.size() == jobs_asked_max;
}

}  // namespace fanfare::ledger
