#include "core/ledger/bucket.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {
namespace {

std::chrono::microseconds micros(const pqxx::field& field) {
    return std::chrono::microseconds{field.is_null() ? 0 : field.as<std::int64_t>()};
}

}  // namespace

Slice reserve_slice(Connection& connection, const std::string& account, double per_second,
                    std::uint32_t tokens) {
    pqxx::nontransaction work{connection.raw()};
    // The slice begins when the one before it ends, when a block ends, or now.
    const auto row = work.exec_params1(
        "INSERT INTO bucket AS b (account, next_free) "
        "VALUES ($1, app_now() + $2 * interval '1 us') "
        "ON CONFLICT (account) DO UPDATE SET next_free = "
        "  greatest(b.next_free, b.blocked_until, app_now()) + $2 * interval '1 us' "
        "RETURNING greatest(0, ceil(extract(epoch FROM next_free - $2 * interval '1 us' "
        "  - app_now()) * 1000000))::bigint",
        account, static_cast<double>(tokens) / per_second * 1'000'000.0);
    return {micros(row[0]), tokens};
}

std::chrono::microseconds block_account(Connection& connection, const std::string& account,
                                        std::chrono::milliseconds wait) {
    pqxx::nontransaction work{connection.raw()};
    const auto row = work.exec_params1(
        "INSERT INTO bucket AS b (account, next_free, blocked_until) "
        "VALUES ($1, app_now(), app_now() + $2 * interval '1 ms') "
        "ON CONFLICT (account) DO UPDATE SET blocked_until = "
        "  greatest(b.blocked_until, app_now() + $2 * interval '1 ms') "
        "RETURNING (extract(epoch FROM blocked_until - app_now()) * 1000000)::bigint",
        account, wait.count());
    return micros(row[0]);
}

std::vector<BlockedAccount> blocked_accounts(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    std::vector<BlockedAccount> blocked;
    for (const auto& row : work.exec(
             "SELECT account, (extract(epoch FROM blocked_until - app_now()) * 1000000)::bigint "
             "FROM bucket WHERE blocked_until > app_now()")) {
        blocked.push_back({row[0].c_str(), micros(row[1])});
    }
    return blocked;
}

}  // namespace fanfare::ledger
