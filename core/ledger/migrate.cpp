#include "core/ledger/migrate.hpp"

#include "core/async/wake_signal.hpp"
#include "core/ledger/addresses.hpp"
#include "core/postgres/connection.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace fanfare::ledger {
namespace {

constexpr std::int64_t lock_key = 0x66616e66617265;  // "fanfare": one migrator at a time.
constexpr int rows_at_once = 10'000;

std::string contents(const std::filesystem::path& file) {
    std::ifstream stream{file};
    std::stringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
}

std::vector<std::filesystem::path> list_migrations(const std::filesystem::path& dir) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{dir}) {
        if (entry.path().extension() == ".sql") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// Applies one migration unless it is there; true when it was applied now.
bool apply(pqxx::connection& connection, const std::string& name, const std::string& sql) {
    pqxx::work work{connection};
    work.exec_params("SELECT pg_advisory_xact_lock($1)", lock_key);
    work.exec(
        "CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, checksum text "
        "NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
    const auto known = work.exec_params(
        "SELECT checksum = md5($2) FROM schema_migration WHERE name = $1", name, sql);
    if (!known.empty()) {
        if (!known[0][0].as<bool>()) {
            throw postgres::QueryMistake{fmt::format(
                "{} was changed after it was applied; put the change into a new file", name)};
        }
        return false;
    }
    work.exec(sql);
    work.exec_params("INSERT INTO schema_migration (name, checksum) VALUES ($1, md5($2))", name,
                     sql);
    work.commit();
    return true;
}

/// The same however often deadlocks and locks that do not come end it: each try rolled back whole,
/// and the one it collided with went on.
bool apply_until_done(pqxx::connection& connection, const std::string& name, const std::string& sql,
                      const MigrateTriedAgain& tried_again) {
    WakeSignal pause;
    for (int tries = 1;; ++tries) {
        try {
            return apply(connection, name, sql);
        } catch (const pqxx::failure& fault) {
            const auto code = postgres::to_failure(fault, connection.is_open(), {}).code;
            if (code != Errc::store_conflict || tries == migrate_tries_max) throw;
        }
        if (tried_again) tried_again(name, tries);
        pause.wait(migrate_pause);
    }
}

/// What SQL cannot: addresses that older programs wrote get the form that is compared now.
void read_rows(postgres::Connection& connection) {
    const bool is_there = [&connection] {
        pqxx::nontransaction work{connection.raw()};
        return !work.exec(
                        "SELECT FROM pg_attribute WHERE attname = 'compared' "
                        "AND attrelid = to_regclass('suppression')")
                    .empty();
    }();
    while (is_there && read_suppressions(connection, rows_at_once) > 0) {
    }
}

}  // namespace

Result<std::vector<std::string>> migrate(const Secret& url, const std::filesystem::path& dir,
                                         const MigrateTriedAgain& tried_again) {
    std::vector<std::string> applied;
    bool open = false;
    auto doing = fmt::format("migrate with {}", dir.string());
    try {
        postgres::Connection connection{url, {.statement_timeout = std::chrono::minutes{10}}};
        open = true;
        for (const auto& file : list_migrations(dir)) {
            const auto name = file.stem().string();
            doing = fmt::format("migrate with {}", file.string());
            if (apply_until_done(connection.raw(), name, contents(file), tried_again)) {
                applied.push_back(name);
            }
        }
        doing = "bring suppressions into the form of this version";
        read_rows(connection);
    } catch (const std::exception& fault) {
        return postgres::to_failure(fault, open, doing);
    }
    return applied;
}

}  // namespace fanfare::ledger
