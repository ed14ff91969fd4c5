#include "core/ledger/account_states.hpp"

#include "core/ledger/iso.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

/// What is leased at the old rate holds nobody up for longer than a second.
void free_bucket(pqxx::work& work, const std::string& account) {
    work.exec_params(
        "UPDATE bucket SET next_free = least(next_free, app_now() + interval '1 s') "
        "WHERE account = $1",
        account);
}

}  // namespace

void set_rate(Connection& connection, const std::string& account, double per_second,
              const std::string& who) {
    pqxx::work work{connection.raw()};
    work.exec_params(
        "INSERT INTO account_rate (account, per_second, who) VALUES ($1, $2, $3) "
        "ON CONFLICT (account) DO UPDATE SET per_second = excluded.per_second, "
        "who = excluded.who, at = app_now()",
        account, per_second, who);
    free_bucket(work, account);
    work.commit();
}

bool clear_rate(Connection& connection, const std::string& account) {
    pqxx::work work{connection.raw()};
    const auto cleared =
        work.exec_params("DELETE FROM account_rate WHERE account = $1", account).affected_rows();
    free_bucket(work, account);
    work.commit();
    return cleared > 0;
}

std::map<std::string, double> rates_by_hand(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    std::map<std::string, double> rates;
    for (const auto& row :
         connection.exec_prepared(work, "SELECT account, per_second FROM account_rate")) {
        rates[row[0].c_str()] = row[1].as<double>();
    }
    return rates;
}

void tell_health(Connection& connection, const std::string& worker,
                 std::span<const AccountHealth> changed) {
    postgres::ArrayLiteral accounts, breakers, shut_for, errors, error_times, rates;
    for (const auto& each : changed) {
        accounts.add(each.account);
        breakers.add(each.breaker);
        shut_for.add(each.shut_for.count());
        errors.add(each.last_error);
        error_times.add(each.last_error_at ? format_timestamp(*each.last_error_at) : std::string{});
        rates.add(fmt::format("{}", each.per_second));
    }
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "INSERT INTO account_health (account, worker, breaker, shut_until, last_error, "
        "last_error_at, per_second) SELECT w.account, $1, w.breaker, "
        "CASE WHEN w.shut_for > 0 THEN app_now() + w.shut_for * interval '1 ms' END, w.error, "
        "nullif(w.error_at, '')::timestamptz, w.per_second::double precision "
        "FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[]) "
        "AS w(account, breaker, shut_for, error, error_at, per_second) ORDER BY w.account "
        "ON CONFLICT (account, worker) DO UPDATE SET at = app_now(), breaker = excluded.breaker, "
        "shut_until = excluded.shut_until, last_error = excluded.last_error, "
        "last_error_at = excluded.last_error_at, per_second = excluded.per_second",
        worker, accounts.text(), breakers.text(), shut_for.text(), errors.text(),
        error_times.text(), rates.text());
    work.exec("DELETE FROM account_health WHERE at < app_now() - interval '1 day'");
}

std::string_view find_health(const AccountState& state, bool paused) {
    if (paused) return "paused";
    if (state.breaker == "open") return "failing";
    if (!state.shut_until.empty()) return "shut";
    if (!state.blocked_until.empty()) return "blocked";
    if (state.breaker == "half_open") return "recovering";
    return state.breaker.empty() ? "unused" : "ok";
}

std::vector<AccountState> account_states(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    // A worker that sends writes every five seconds; its word counts for three times as long.
    const auto rows = work.exec(
        "WITH told AS (SELECT account, max(shut_until) FILTER (WHERE shut_until > app_now()) AS "
        "  shut_until, max(array_position(ARRAY['closed', 'half_open', 'open'], breaker)) FILTER "
        "  (WHERE breaker = 'closed' OR shut_until > app_now() "
        "   OR at > app_now() - interval '15 s') AS breaker, "
        "  coalesce(sum(per_second) FILTER (WHERE at > app_now() - interval '15 s'), 0) AS used, "
        "  (array_agg(last_error ORDER BY last_error_at DESC NULLS LAST))[1] AS error, "
        "  max(last_error_at) AS error_at FROM account_health GROUP BY account) "
        "SELECT account, coalesce(r.per_second, 0), coalesce(r.who, ''), "
        FANFARE_ISO_SECONDS_OR_NONE("r.at") ", "
        FANFARE_ISO_SECONDS_OR_NONE(
            "CASE WHEN b.blocked_until > app_now() THEN b.blocked_until END") ", "
        FANFARE_ISO_SECONDS_OR_NONE("t.shut_until") ", "
        "coalesce((ARRAY['closed', 'half_open', 'open'])[t.breaker], ''), coalesce(t.used, 0), "
        "coalesce(t.error, ''), " FANFARE_ISO_SECONDS_OR_NONE("t.error_at") " "
        "FROM told t FULL JOIN account_rate r USING (account) "
        "FULL JOIN bucket b USING (account) ORDER BY account");
    std::vector<AccountState> states;
    for (const auto& row : rows) {
        states.push_back({.account = row[0].c_str(),
                          .by_hand = row[1].as<double>(),
                          .set_by = row[2].c_str(),
                          .set_at = row[3].c_str(),
                          .blocked_until = row[4].c_str(),
                          .shut_until = row[5].c_str(),
                          .breaker = row[6].c_str(),
                          .per_second = row[7].as<double>(),
                          .last_error = row[8].c_str(),
                          .last_error_at = row[9].c_str()});
    }
    return states;
}

}  // namespace fanfare::ledger
