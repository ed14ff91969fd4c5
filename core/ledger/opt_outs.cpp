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

std::vector<OptOut> opt_outs_of(Connection& connection, const std::string& system,
                                const std::string& recipient) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT channel, list, to_char(created_at AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM opt_out WHERE system = $1 AND recipient = $2 "
        "AND channel IN (0, 1, 2) ORDER BY list, channel",
        system, recipient);
    std::vector<OptOut> found;
    for (const auto& row : rows) {
        found.push_back({static_cast<Channel>(row[0].as<int>()), row[1].c_str(), row[2].c_str()});
    }
    return found;
}

namespace {

std::pair<std::string, std::string> literals_of(const OptOutChange& change) {
    postgres::ArrayLiteral channels, lists;
    for (const auto channel : change.channels) channels.add(static_cast<std::int64_t>(channel));
    for (const auto& list : change.lists) lists.add(list);
    return {channels.text(), lists.text()};
}

}  // namespace

void opt_out_by_hand(Connection& connection, const OptOutChange& change) {
    const auto [channels, lists] = literals_of(change);
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "INSERT INTO opt_out (system, channel, list, recipient) SELECT $1, c, l, $2 "
        "FROM unnest($3::smallint[]) c, unnest($4::text[]) l ON CONFLICT DO NOTHING",
        change.system, change.recipient, channels, lists);
}

void opt_in_by_hand(Connection& connection, const OptOutChange& change) {
    const auto [channels, lists] = literals_of(change);
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "DELETE FROM opt_out WHERE system = $1 AND recipient = $2 "
        "AND channel = ANY($3::smallint[]) AND list = ANY($4::text[])",
        change.system, change.recipient, channels, lists);
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
