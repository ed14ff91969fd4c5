#include "core/ledger/caps.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {

std::vector<std::string> over_cap(Connection& connection, const CapQuestion& question,
                                  const std::string& recipients) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT recipient FROM counted_send WHERE system = $1 AND kind = $2 "
        "AND recipient = ANY($3::text[]) AND job_id <> $4::uuid "
        "AND sent_at > app_now() - $5 * interval '1 hour' "
        "GROUP BY recipient HAVING count(*) >= $6",
        question.system, question.kind, recipients, question.job, question.window.count(),
        question.count);
    std::vector<std::string> over;
    for (const auto& row : rows) over.emplace_back(row[0].c_str(), row[0].size());
    return over;
}

}  // namespace fanfare::ledger
