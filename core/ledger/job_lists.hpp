#pragma once

#include "core/ledger/progress.hpp"

#include <pqxx/transaction_base>

#include <string>

// Lists of jobs, whoever reads them; for the ledger's own sources.
namespace fanfare::ledger {

#define FANFARE_SUBJECT_AND_TITLE "subject, coalesce(body -> 'data' ->> 'title', '')"

/// Of an array literal as a parameter; "" stands for everything.
#define FANFARE_AMONG(column, number) \
    "($" number " = '' OR " column " = ANY(nullif($" number ", '')::text[]))"

/// `select`: up to and with FROM job. Array literals of what is in sight, "" for everything.
inline pqxx::result exec_listed(pqxx::transaction_base& work, const std::string& select,
                                const std::string& systems, const std::string& sources,
                                const JobFilter& filter, int limit) {
    return work.exec_params(
        select + "WHERE " FANFARE_AMONG("system", "1") " "
        "AND " FANFARE_AMONG("body ->> 'source'", "2") " AND ($3 = '' OR system = $3) "
        "AND ($4 = '' OR kind = $4) AND ($5 = '' OR state = nullif($5, '')::job_state) "
        "AND ($6 = '' OR (created_at, id) < (nullif($6, '')::timestamptz, nullif($7, '')::uuid)) "
        "AND ($8 = '' OR created_at >= nullif($8, '')::timestamptz) "
        "AND (NOT $9 OR EXISTS (SELECT FROM chunk c WHERE c.job_id = job.id "
        "  AND (c.tally[13] > 0 OR c.tally[14] > 0))) "
        "ORDER BY created_at DESC, id DESC LIMIT $10",
        systems, sources, filter.system, filter.kind, filter.state, filter.before_at,
        filter.before_id, filter.since, filter.has_failures, limit);
}
static_assert(static_cast<int>(Outcome::failed) == 12 && static_cast<int>(Outcome::unknown) == 13);

}  // namespace fanfare::ledger
