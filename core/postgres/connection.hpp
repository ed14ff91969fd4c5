#pragma once

#include "core/error/failure.hpp"
#include "core/postgres/array.hpp"
#include "core/postgres/libpqxx.hpp"
#include "core/postgres/prepared.hpp"
#include "core/settings/secret.hpp"

#include <pqxx/connection>
#include <pqxx/except>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/transaction>

#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

namespace fanfare::postgres {

/// A fault of ours among statements, in our own words: a query that lacks a column, say. What it
/// says is logged and stored, so no value of a row stands in it.
struct QueryMistake : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A database that cannot be connected to, in our own words, with its host.
struct Unreachable : pqxx::broken_connection {
    using pqxx::broken_connection::broken_connection;
};

/// What a caught exception of libpqxx means for us. The one place that knows its tree:
/// deadlocks are not sql_errors there, and a broken connection may come as one. Of the server's
/// text nothing is kept, because it quotes values: the SQLSTATE and what it means are.
[[nodiscard]] Failure to_failure(const std::exception& fault, bool connection_open,
                                 std::string doing,
                                 std::source_location where = std::source_location::current());

/// How long connecting and statements may take.
struct Limits {
    std::chrono::milliseconds statement_timeout{30'000};
    bool read_only = false;  // For the databases of others.
    /// Its statements name their rows by key. They are planned for any values, once: planned for
    /// those of each execution, a statement for three chunks costs more to plan than to execute.
    /// And never to read a whole table, as while that is small; a plan lasts while it grows.
    bool goes_by_key = false;
    bool in_utc = false;  // Timestamps without zone are UTC, whatever the database's own setting.
};

/// One connection to PostgreSQL that never comes back to life by itself: that would lose
/// session settings in silence. After a fault, let go of it.
///
/// Bounds    connect 3 s; a dead peer is noticed within 15 s.
/// Threads   one at a time.
class Connection {
public:
    /// Throws what libpqxx throws; Unreachable where there is no connection to be had.
    Connection(const Secret& url, const Limits& limits);

    [[nodiscard]] pqxx::connection& raw() noexcept { return *connection_; }
    [[nodiscard]] bool is_open() const noexcept;
    /// Open, as far as can be told without asking the server: it has not hung up meanwhile.
    [[nodiscard]] bool is_alive() const noexcept;

    /// Executes a statement that comes again and again, in `work` of this connection: prepared,
    /// where sessions are kept. For constants of the program and of its settings: each text is one
    /// prepared statement.
    template <class... Values>
    pqxx::result exec_prepared(pqxx::transaction_base& work, const std::string& sql,
                               const Values&... values) {
        try {
            if (const auto* const name = prepared_.prepare(*connection_, sql)) {
                return work.exec_prepared(*name, values...);
            }
        } catch (const pqxx::sql_error& fault) {
            prepared_.note(sql, fault.sqlstate());
            throw;
        }
        return work.exec_params(sql, values...);
    }
    /// The same, outside any transaction: so it is asked once more at once where its session was
    /// taken away, or its table changed so that the plan does not fit.
    template <class... Values>
    pqxx::result ask_prepared(const std::string& sql, const Values&... values) {
        try {
            pqxx::nontransaction work{*connection_};
            return exec_prepared(work, sql, values...);
        } catch (const pqxx::sql_error& fault) {
            if (!PreparedStatements::is_to_blame(fault.sqlstate())) throw;
        }
        pqxx::nontransaction work{*connection_};
        return exec_prepared(work, sql, values...);
    }

private:
    std::unique_ptr<pqxx::connection> connection_;
    PreparedStatements prepared_;
    std::unique_ptr<Silence> silence_;  // Unregisters itself: goes first.
};

/// Whether a read of the program's own, which comes again and again, finds a row: one round trip.
[[nodiscard]] bool finds(Connection& connection, const std::string& sql);

}  // namespace fanfare::postgres
