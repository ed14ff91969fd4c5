#include "core/ledger/write_backs.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {

std::vector<DoneJob> take_done_jobs(Connection& connection, int limit,
                                    std::chrono::milliseconds lease) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "WITH due AS (SELECT id FROM job WHERE state = 'done' AND write_back_at <= app_now() "
        " ORDER BY write_back_at LIMIT $1 FOR UPDATE SKIP LOCKED) "
        "UPDATE job j SET write_back_at = app_now() + $2 * interval '1 ms' FROM due "
        "WHERE j.id = due.id RETURNING j.id, j.body, "
        "(SELECT to_char(n.occurrence AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
        " FROM notification n WHERE n.job_id = j.id)",
        limit, lease.count());
    std::vector<DoneJob> jobs;
    for (const auto& row : rows) jobs.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str()});
    return jobs;
}

void mark_written_back(Connection& connection, std::span<const std::string> jobs) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params("UPDATE job SET write_back_at = NULL WHERE id = ANY($1::uuid[])",
                     postgres::to_array_literal(jobs));
}

void postpone_write_backs(Connection& connection, std::span<const std::string> jobs) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "UPDATE job SET write_back_at = app_now() + least(greatest(app_now() - finished_at, "
        "interval '1 second'), interval '1 hour') WHERE id = ANY($1::uuid[])",
        postgres::to_array_literal(jobs));
}

}  // namespace fanfare::ledger
