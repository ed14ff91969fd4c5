// Who replayed what, and which jobs took people of one over.
#include "core/ledger/replays.hpp"

#include "core/ledger/iso.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {

std::vector<ReplayLine> list_replays(Connection& connection, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT r.id, " FANFARE_ISO_SECONDS_OR_NONE("r.at")
        ", " FANFARE_ISO_SECONDS_OR_NONE("r.finished_at") ", r.who, r.because, r.filter, "
        "count(j.id), "
        "coalesce(sum(j.planned[1] + j.planned[2] + j.planned[3]), 0) "
        "FROM (SELECT * FROM replay ORDER BY id DESC LIMIT $1) r "
        "LEFT JOIN job j ON j.replay = r.id GROUP BY r.id, r.at, r.finished_at, r.who, r.because, "
        "r.filter ORDER BY r.id DESC",
        limit);
    std::vector<ReplayLine> lines;
    for (const auto& row : rows) {
        lines.push_back({row[0].as<std::int64_t>(), row[1].c_str(), row[2].c_str(), row[3].c_str(),
                         row[4].c_str(), row[5].c_str(), row[6].as<std::int64_t>(),
                         row[7].as<std::int64_t>()});
    }
    return lines;
}

std::vector<TakenOver> replays_of(Connection& connection, const std::string& job) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT j.id, sum(c.size) FROM job j JOIN chunk c ON c.job_id = j.id "
        "JOIN channel ch ON ch.code = c.channel "
        "WHERE j.replay_of = $1::uuid AND (j.body -> 'channels') ? ch.name "
        "GROUP BY j.id, j.created_at ORDER BY j.created_at",
        job);
    std::vector<TakenOver> found;
    for (const auto& row : rows) found.push_back({row[0].c_str(), row[1].as<std::int64_t>()});
    return found;
}

}  // namespace fanfare::ledger
