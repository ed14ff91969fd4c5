#pragma once

#include <pqxx/transaction_base>

#include <string>

namespace fanfare::ledger {

/// Cancels a job that is being planned or sent, and those that took people of it over. False where
/// there is none such. One statement of `work`.
inline bool cancel_open(pqxx::transaction_base& work, const std::string& job) {
    const auto stopped = work.exec_params(
        "UPDATE job SET state = 'cancelled', finished_at = app_now() "
        "WHERE (id = $1::uuid OR origin = $1::uuid) AND state IN ('planning', 'sending')",
        job);
    return stopped.affected_rows() > 0;
}

}  // namespace fanfare::ledger
