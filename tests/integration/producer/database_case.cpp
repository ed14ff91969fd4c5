#include "database_case.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <fstream>
#include <sstream>

namespace fanfare::testing {
namespace {

std::string contents(const std::string& path) {
    std::ifstream stream{std::string{FANFARE_SOURCE_DIR} + path};
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

}  // namespace

void LedgerCase::SetUp() {
    pool = std::make_unique<postgres::Pool>(url, postgres::Limits{}, 1);
    sql(contents("/tests/fixtures/shows.sql"));
    sql("INSERT INTO users (id, username) VALUES ('ann', 'Ann')");
    sql("CREATE TABLE test_clock (shift interval NOT NULL); INSERT INTO test_clock VALUES ('0'); "
        "CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
        "'SELECT clock_timestamp() + (SELECT shift FROM public.test_clock)'");
    auto loaded = load_systems(std::string{FANFARE_SOURCE_DIR} + "/config/systems",
                               [](const std::string&) { return std::nullopt; });
    systems = std::get<Systems>(loaded);
    std::erase_if(systems, [](const auto& system) { return system.first != "shows"; });
    systems.at("shows").database = Secret{};  // The ledger's.
    due_pool = std::make_unique<postgres::Pool>(url, Refresher::due_limits(systems.at("shows")), 1);
}

void LedgerCase::sql(const std::string& statement) {
    run([&](postgres::Connection& connection) {
        pqxx::work work{connection.raw()};
        work.exec(statement);
        work.commit();
        return true;
    });
}

std::string LedgerCase::ask(const std::string& query) {
    return run([&](postgres::Connection& connection) {
        pqxx::nontransaction work{connection.raw()};
        const auto rows = work.exec(query);
        return rows.empty() ? std::string{} : std::string{rows[0][0].c_str()};
    });
}

void LedgerCase::advance(const std::string& interval) {
    sql(fmt::format("UPDATE test_clock SET shift = shift + interval '{}'", interval));
}

void LedgerCase::add_show(const std::string& id, const std::string& starts) {
    sql(
        fmt::format("INSERT INTO scheduled_shows (id, user_id, title, scheduled_at) VALUES "
                    "('{}', 'ann', 'Live', now() AT TIME ZONE 'UTC' + interval '{}')",
                    id, starts));
}

std::string LedgerCase::states() {
    return ask(
        "SELECT string_agg(subject || ':' || state, ' ' ORDER BY subject, occurrence) "
        "FROM notification");
}

}  // namespace fanfare::testing
