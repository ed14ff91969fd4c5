#pragma once

#include "core/ledger/notifications.hpp"
#include "core/postgres/pool.hpp"
#include "core/systems/system.hpp"
#include "producer/schedule/refresh.hpp"
#include "tests/support/test_database.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <string>

namespace fanfare::testing {

/// A database of its own for one test, with nothing in it.
class EmptyDatabaseCase : public ::testing::Test {
protected:
    test::TestDatabase database;
    const Secret& url = database.url();

    EmptyDatabaseCase() = default;
    explicit EmptyDatabaseCase(const std::string& options) : database{options} {}
};

/// The ledger and the tables of the system shows. The ledger's clock can be moved.
class LedgerCase : public EmptyDatabaseCase {
protected:
    LedgerCase() : EmptyDatabaseCase{test::copy_of_ledger()} {}
    void SetUp() override;

    void sql(const std::string& statement);
    /// The first column of the first row.
    std::string ask(const std::string& query);
    /// app_now() goes forward.
    void advance(const std::string& interval);
    /// A show of ann; `starts`: from now on, such as "20 minutes".
    void add_show(const std::string& id, const std::string& starts);
    /// "s1:scheduled s2:cancelled", in the order of subject and occurrence.
    std::string states();

    template <class Work>
    auto run(const Work& work) {
        auto job = [&work](postgres::Connection& connection) { return work(connection); };
        return pool->call("test", job).value();
    }

    std::unique_ptr<postgres::Pool> pool;
    std::unique_ptr<postgres::Pool> due_pool;  // The same database, for due queries.
    Systems systems;
};

}  // namespace fanfare::testing
