#pragma once

#include <pqxx/transaction_base>

#include <string>

namespace fanfare::ledger {

/// Cancels a job that is being planned or sent, and those that took people of it over, or of those.
/// False where there is none such. One statement of `work`.
inline bool cancel_open(pqxx::transaction_base& work, const std::string& job) {
    const auto stopped = work.exec_params(
        "WITH RECURSIVE theirs AS (SELECT $1::uuid AS id "
        " UNION SELECT j.id FROM theirs JOIN job j ON j.replay_of = theirs.id) "
        "UPDATE job SET state = 'cancelled', finished_at = app_now() "
        "WHERE id IN (SELECT id FROM theirs) AND state IN ('planning', 'sending')",
        job);
    return stopped.affected_rows() > 0;
}

}  // namespace fanfare::ledger
