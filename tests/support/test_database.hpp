#pragma once

#include "core/ledger/jobs.hpp"
#include "core/postgres/pool.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::test {

/// A database of one test on the server that FANFARE_TEST_DATABASE_URL names; gone with it.
/// Throws, which fails the test, when the variable is missing: a suite that tests nothing
/// must not pass.
class TestDatabase {
public:
    TestDatabase();
    /// `options` go behind CREATE DATABASE name.
    explicit TestDatabase(std::string_view options);
    ~TestDatabase();
    TestDatabase(const TestDatabase&) = delete;
    TestDatabase& operator=(const TestDatabase&) = delete;

    [[nodiscard]] const Secret& url() const noexcept { return url_; }
    /// A connection of its own, as a replica would have.
    [[nodiscard]] std::unique_ptr<postgres::Connection> connect(
        const postgres::Limits& limits = {}) const;

private:
    std::string name_;
    Secret url_;
};

/// What goes behind CREATE DATABASE name so that it has the ledger in it.
[[nodiscard]] std::string copy_of_ledger();

/// A database with the ledger in it and a clock that stands still until told.
class TestLedger {
public:
    TestLedger();

    [[nodiscard]] postgres::Connection& connection() { return *connection_; }
    [[nodiscard]] std::unique_ptr<postgres::Connection> connect() const {
        return database_.connect();
    }
    [[nodiscard]] const TestDatabase& database() const noexcept { return database_; }

    void advance(std::chrono::milliseconds step);

    /// The first column of every row, as text; "null" for null.
    std::vector<std::string> column(const std::string& sql);
    /// The one value a statement gives.
    std::string value(const std::string& sql);

private:
    TestDatabase database_;
    std::unique_ptr<postgres::Connection> connection_;
    std::chrono::milliseconds now_{};
};

/// Takes a job of which nothing else is known; false where its id or idempotency key is known
/// already.
[[nodiscard]] bool insert_job(postgres::Connection& connection, const Job& job,
                              const std::string& list = {});

}  // namespace fanfare::test
