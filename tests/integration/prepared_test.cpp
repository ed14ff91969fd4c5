#include "core/postgres/connection.hpp"
#include "tests/support/test_database.hpp"

#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <memory>
#include <string>

namespace fanfare::postgres {
namespace {

class PreparedTest : public ::testing::Test {
protected:
    void SetUp() override {
        pqxx::nontransaction{db.raw()}.exec("CREATE TEMP TABLE t AS SELECT 7 AS n");
    }
    /// What the table has, and `more`.
    int add(int more) {
        pqxx::nontransaction work{db.raw()};
        return db.exec_prepared(work, sql, more)[0][0].as<int>();
    }
    /// Asked in this session, of which they are.
    std::string value(const std::string& asked) {
        return pqxx::nontransaction{db.raw()}.exec(asked)[0][0].c_str();
    }
    std::string prepared_at() {
        return value(
            "SELECT coalesce(max(prepare_time)::text, 'never') FROM "
            "pg_prepared_statements WHERE name LIKE 'fanfare_%'");
    }

    const std::string sql{"SELECT n + $1::int FROM t"};
    test::TestDatabase database;
    std::unique_ptr<Connection> opened = database.connect();
    Connection& db = *opened;
};

TEST_F(PreparedTest, IsPlannedOnceAndFollowsItsTable) {
    EXPECT_EQ(add(1), 8);
    const auto first = prepared_at();
    EXPECT_NE(first, "never");
    EXPECT_EQ(add(2), 9);
    pqxx::nontransaction{db.raw()}.exec("ALTER TABLE t ADD m int; UPDATE t SET n = 10");
    EXPECT_EQ(add(1), 11);
    EXPECT_EQ(prepared_at(), first);
}

TEST_F(PreparedTest, AnswersOfOtherTypesThanBeforeAreAskedForOnceMore) {
    const std::string all{"SELECT * FROM t"};
    const auto first_column = [&] { return std::string{db.ask_prepared(all)[0][0].c_str()}; };
    EXPECT_EQ(first_column(), "7");
    pqxx::nontransaction{db.raw()}.exec("ALTER TABLE t ALTER n TYPE text");
    EXPECT_EQ(first_column(), "7");
    const auto anew = prepared_at();
    EXPECT_EQ(first_column(), "7");
    EXPECT_EQ(prepared_at(), anew) << "and kept from then on";
}

TEST_F(PreparedTest, WhereSessionsChangeWhatIsAskedForAloneIsAskedOnceMore) {
    const std::string all{"SELECT n FROM t"};
    EXPECT_EQ(db.ask_prepared(all)[0][0].as<int>(), 7);
    pqxx::nontransaction{db.raw()}.exec("DEALLOCATE ALL");
    EXPECT_EQ(db.ask_prepared(all)[0][0].as<int>(), 7);
    EXPECT_EQ(prepared_at(), "never");
}

TEST_F(PreparedTest, IsPlannedAnewAfterSoManyUses) {
    add(1);
    const auto first = prepared_at();
    for (int i = 1; i < PreparedStatements::uses_max; ++i) add(1);
    EXPECT_EQ(prepared_at(), first);
    EXPECT_EQ(add(1), 8);
    EXPECT_NE(prepared_at(), first);
}

TEST_F(PreparedTest, OfOneForFewKeysThePlanIsKeptFromTheFirstTimeOnWhereAskedFor) {
    const auto keyed = [](Connection& session) {
        const std::string by_key{
            "SELECT count(*) FROM unnest($1::oid[]) k JOIN pg_class c ON c.oid = k"};
        for (int i = 0; i < 9; ++i) {
            pqxx::nontransaction work{session.raw()};
            session.exec_prepared(work, by_key, "{1,2}");
        }
        return pqxx::nontransaction{session.raw()}
            .exec("SELECT custom_plans FROM pg_prepared_statements")[0][0]
            .as<int>();
    };
    EXPECT_EQ(keyed(db), 9) << "PostgreSQL keeps one of its own accord: nobody need ask for it";
    const auto kept = database.connect({.goes_by_key = true});
    EXPECT_EQ(keyed(*kept), 0);
}

TEST_F(PreparedTest, WhereSessionsChangeTheNextAttemptDoesWithout) {
    add(1);
    pqxx::nontransaction{db.raw()}.exec("DEALLOCATE ALL");  // As in a session of somebody else.
    try {
        add(1);
        FAIL() << "nothing is prepared";
    } catch (const std::exception& fault) {
        const auto failure = to_failure(fault, db.is_open(), "test");
        EXPECT_EQ(failure.code, Errc::store_conflict) << describe(failure);
        EXPECT_TRUE(is_retryable(failure.code));
    }
    EXPECT_EQ(add(1), 8);
    EXPECT_EQ(prepared_at(), "never");
    test::TestDatabase another;
    const auto elsewhere = another.connect();
    pqxx::nontransaction work{elsewhere->raw()};
    elsewhere->exec_prepared(work, "SELECT 1");
    EXPECT_EQ(work.exec("SELECT count(*) FROM pg_prepared_statements")[0][0].as<int>(), 1)
        << "what one database's pooler does says nothing of another's";
}

}  // namespace
}  // namespace fanfare::postgres
