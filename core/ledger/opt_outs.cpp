#include "core/ledger/opt_outs.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {

bool opt_out(Connection& connection, const Reference& reference) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "WITH told AS (SELECT j.system, j.list, c.channel, c.recipients[$4::int + 1] AS recipient, "
        "    j.id FROM chunk c JOIN job j ON j.id = c.job_id "
        "  WHERE c.job_id = $1::uuid AND c.channel = $2 AND c.number = $3 AND j.list <> ''), "
        "stored AS (INSERT INTO opt_out (system, channel, list, recipient, job_id) "
        "  SELECT system, channel, list, recipient, id FROM told WHERE recipient IS NOT NULL "
        "  ON CONFLICT DO NOTHING) "
        "SELECT 1 FROM told WHERE recipient IS NOT NULL",
        reference.job, static_cast<int>(reference.channel), static_cast<int>(reference.chunk),
        static_cast<int>(reference.position));
    return !rows.empty();
}

std::vector<std::string> opted_out(Connection& connection, std::string_view system, Channel channel,
                                   std::string_view list, const std::string& recipients_literal) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT recipient FROM opt_out WHERE system = $1 AND channel = $2 AND list = $3 "
        "AND recipient = ANY($4::text[])",
        std::string{system}, static_cast<int>(channel), std::string{list}, recipients_literal);
    std::vector<std::string> recipients;
    for (const auto& row : rows) recipients.emplace_back(row[0].c_str(), row[0].size());
    return recipients;
}

}  // namespace fanfare::ledger
