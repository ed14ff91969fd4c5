#include "core/ledger/bucket.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {
namespace {

std::chrono::microseconds micros(const pqxx::field& field) {
    return std::chrono::microseconds{field.is_null() ? 0 : field.as<std::int64_t>()};
}

}  // namespace

// A row tells when it was last written, by the clock of then. Should that clock have been ahead for
// a while, what stands in the row lies ahead by as much: it is never further away than it was
// when it was written. Rows of programs that write no such moment are bounded by what a fleet can
// have reserved, and by the longest wait of a provider (wait_hint_max).
// least() passes over what is null: an account that nobody blocked has no end of a block.
#define FANFARE_BLOCKED                                                                 \
    "CASE WHEN b.blocked_until IS NOT NULL THEN "                                       \
    "least(b.blocked_until, app_now() + (b.blocked_until - b.blocked_at), app_now() + " \
    "interval '1 h') END"
#define FANFARE_NEXT_FREE                                                       \
    "least(b.next_free, app_now() + (b.next_free - b.reserved_at), "            \
    "CASE WHEN b.reserved_at IS NULL THEN greatest(app_now(), " FANFARE_BLOCKED \
    ") + interval '15 s' + 16 * $2 * interval '1 us' END)"
// What was reserved at a lower rate is over sooner at a higher one. Not within the seconds in which
// others may still use what they have of it, because they have not read yet that it is higher.
#define FANFARE_RESERVED                                                                     \
    "(SELECT CASE WHEN b.per_second < $3 THEN "                                              \
    "greatest(r.time * (b.per_second / $3), least(r.time, interval '5 s')) ELSE r.time END " \
    "FROM (SELECT greatest(" FANFARE_NEXT_FREE " - app_now(), interval '0') AS time) r)"

Slice reserve_slice(Connection& connection, const std::string& account, double per_second,
                    std::uint32_t tokens) {
    pqxx::nontransaction work{connection.raw()};
    // The slice begins when the one before it ends, when a block ends, or now.
    const auto rows = connection.exec_prepared(
        work,
        "INSERT INTO bucket AS b (account, next_free, reserved_at, per_second) "
        "VALUES ($1, app_now() + $2 * interval '1 us', app_now(), $3) "
        "ON CONFLICT (account) DO UPDATE SET reserved_at = app_now(), per_second = $3, "
        "  next_free = greatest(app_now() + " FANFARE_RESERVED ", " FANFARE_BLOCKED
        ") + $2 * interval '1 us' "
        "RETURNING greatest(0, ceil(extract(epoch FROM next_free - $2 * interval '1 us' "
        "  - app_now()) * 1000000))::bigint",
        account, static_cast<double>(tokens) / per_second * 1'000'000.0, per_second);
    return {micros(rows.at(0)[0]), tokens};
}

std::chrono::microseconds block_account(Connection& connection, const std::string& account,
                                        std::chrono::milliseconds wait) {
    pqxx::nontransaction work{connection.raw()};
    const auto row = work.exec_params1(
        "INSERT INTO bucket AS b (account, next_free, reserved_at, blocked_until, blocked_at) "
        "VALUES ($1, app_now(), app_now(), app_now() + $2 * interval '1 ms', app_now()) "
        "ON CONFLICT (account) DO UPDATE SET blocked_at = app_now(), blocked_until = "
        "  greatest(" FANFARE_BLOCKED
        ", app_now() + $2 * interval '1 ms') "
        "RETURNING (extract(epoch FROM blocked_until - app_now()) * 1000000)::bigint",
        account, wait.count());
    return micros(row[0]);
}

FleetState read_fleet_state(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    FleetState state;
    // A block that was written by a clock ahead of this one goes on from here.
    for (const auto& row : connection.exec_prepared(
             work,
             "WITH ahead AS (UPDATE bucket b SET blocked_at = app_now(), "
             "  blocked_until = " FANFARE_BLOCKED " WHERE b.blocked_at > app_now()) "
             "SELECT 'blocked', account, extract(epoch FROM left_until - app_now())::float8 "
             "FROM (SELECT account, " FANFARE_BLOCKED " AS left_until FROM bucket b) b "
             "WHERE left_until > app_now() "
             "UNION ALL SELECT what, name, 0 FROM pause p WHERE is_in_force(p) "
             "UNION ALL SELECT 'rate', account, per_second FROM account_rate")) {
        const std::string_view what{row[0].c_str()};
        if (what == "blocked") {
            const std::chrono::duration<double> left{row[2].as<double>()};
            state.blocked.push_back(
                {row[1].c_str(), std::chrono::round<std::chrono::microseconds>(left)});
        } else if (what == "rate") {
            state.rates[row[1].c_str()] = row[2].as<double>();
        } else if (const auto paused = parse_paused(what)) {
            state.paused.push_back({*paused, row[1].c_str()});
        }
    }
    return state;
}

}  // namespace fanfare::ledger
