#include "core/ledger/lease.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {

std::optional<std::int64_t> take_lease(Connection& connection, const std::string& name,
                                       const std::string& holder,
                                       std::chrono::milliseconds length) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "INSERT INTO lease AS l (name, holder, until) "
        "VALUES ($1, $2, app_now() + $3 * interval '1 ms') ON CONFLICT (name) DO UPDATE SET "
        "epoch = CASE WHEN l.holder = excluded.holder THEN l.epoch ELSE l.epoch + 1 END, "
        "holder = excluded.holder, until = excluded.until "
        "WHERE l.holder = excluded.holder OR l.until <= app_now() RETURNING epoch",
        name, holder, length.count());
    if (rows.empty()) return std::nullopt;
    return rows[0][0].as<std::int64_t>();
}

void give_back_lease(Connection& connection, const std::string& name, const std::string& holder) {
    pqxx::nontransaction{connection.raw()}.exec_params(
        "UPDATE lease SET until = app_now() WHERE name = $1 AND holder = $2", name, holder);
}

}  // namespace fanfare::ledger
