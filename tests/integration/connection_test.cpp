#include "core/postgres/pool.hpp"
#include "tests/support/coroutines.hpp"
#include "tests/support/test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <barrier>
#include <future>
#include <optional>
#include <string>
#include <thread>

namespace fanfare::postgres {

void PrintTo(Errc code, std::ostream* out) { *out << to_string(code); }

namespace {

using test::TestDatabase;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ask(Connection& connection, const std::string& sql) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec(sql);
    return rows.empty() ? std::string{} : rows[0][0].c_str();
}

/// What to_failure() makes of what `work` throws.
template <class Work>
std::optional<Failure> failure_in(Connection& connection, Work work) {
    try {
        work();
    } catch (const std::exception& fault) {
        return to_failure(fault, connection.is_open(), "test");
    }
    return std::nullopt;
}

std::optional<Failure> failure(Connection& connection, const std::string& sql) {
    return failure_in(connection, [&] { ask(connection, sql); });
}

void kill(const TestDatabase& database, const std::string& pid) {
    const auto other = database.connect();
    ASSERT_EQ(ask(*other, "SELECT pg_terminate_backend(" + pid + ", 5000)"), "t");
}

class ConnectionTest : public ::testing::Test {
protected:
    TestDatabase database;
    std::unique_ptr<Connection> connection = database.connect();
};

TEST_F(ConnectionTest, NeverComesBackToLifeByItself) {
    const auto pid = ask(*connection, "SELECT pg_backend_pid()");
    kill(database, pid);
    for (int i = 0; i < 3; ++i) {
        const auto fault = failure(*connection, "SELECT 1");
        ASSERT_TRUE(fault) << "it reconnected in silence, and its settings are gone";
        EXPECT_EQ(fault->code, Errc::store_unavailable);
        EXPECT_TRUE(is_retryable(fault->code));
    }
    EXPECT_FALSE(connection->is_open());
}

TEST_F(ConnectionTest, HasItsLimits) {
    EXPECT_EQ(ask(*connection, "SHOW statement_timeout"), "30s");
    EXPECT_EQ(ask(*connection, "SHOW lock_timeout"), "10s");
    EXPECT_EQ(ask(*connection, "SHOW idle_in_transaction_session_timeout"), "1min");
    EXPECT_EQ(ask(*connection, "SHOW client_encoding"), "UTF8");
}

TEST_F(ConnectionTest, ToOthersDatabasesOnlyReads) {
    ask(*connection, "CREATE TABLE t (a int)");
    const auto reader = database.connect({.read_only = true});
    const auto fault = failure(*reader, "INSERT INTO t VALUES (1)");
    ASSERT_TRUE(fault);
    EXPECT_EQ(ask(*reader, "SELECT count(*) FROM t"), "0");
}

TEST_F(ConnectionTest, RefusesWhatCannotBeReached) {
    EXPECT_ANY_THROW(Connection(Secret{"postgresql://127.0.0.1:1/nowhere"}, {}));
}

TEST_F(ConnectionTest, CallsAStatementThatIsWrongRejected) {
    for (const auto* sql : {"SELEKT 1", "SELECT * FROM nowhere", "SELECT 1 + true"}) {
        const auto fault = failure(*connection, sql);
        ASSERT_TRUE(fault) << sql;
        EXPECT_EQ(fault->code, Errc::store_rejected) << sql;
        EXPECT_FALSE(is_retryable(fault->code));
    }
    EXPECT_TRUE(connection->is_open());
}

TEST_F(ConnectionTest, TellsAValueThatIsRefusedFromAWrongStatement) {
    ask(*connection, "CREATE TABLE t (a int PRIMARY KEY CHECK (a > 0))");
    for (const auto* sql :
         {"SELECT 1/0", "SELECT 'x'::int", "SELECT 'x'::uuid",
          "SELECT convert_from('\\xe9', 'UTF8')", "SELECT 'infinity'::timestamptz - 'infinity'",
          "INSERT INTO t VALUES (-1)", "INSERT INTO t VALUES (NULL)",
          "INSERT INTO t VALUES (1), (1)"}) {
        const auto fault = failure(*connection, sql);
        ASSERT_TRUE(fault) << sql;
        EXPECT_EQ(fault->code, Errc::store_data) << sql;
        EXPECT_FALSE(is_retryable(fault->code));
    }
    EXPECT_TRUE(connection->is_open());
}

TEST_F(ConnectionTest, CallsWhatTheQueryIsToBlameForNoOutage) {
    ask(*connection, "SET temp_file_limit = 64");
    ask(*connection, "SET work_mem = 64");
    const auto fault = failure(*connection, "SELECT generate_series(1, 100000) n ORDER BY n DESC");
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Errc::store_rejected);
}

TEST_F(ConnectionTest, CallsATimeoutByItsName) {
    const auto hasty = database.connect({.statement_timeout = std::chrono::milliseconds{20}});
    const auto fault = failure(*hasty, "SELECT pg_sleep(30)");
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Errc::store_timeout);
    EXPECT_TRUE(is_retryable(fault->code)) << "it may be faster next time";
}

TEST_F(ConnectionTest, CallsALockTimeoutAConflict) {
    ask(*connection, "CREATE TABLE t (a int)");
    pqxx::work holder{connection->raw()};
    holder.exec("LOCK TABLE t");
    const auto other = database.connect();
    ask(*other, "SET lock_timeout = 20");
    const auto fault = failure(*other, "SELECT * FROM t");
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Errc::store_conflict);
}

TEST_F(ConnectionTest, CallsADeadlockAConflict) {
    ask(*connection, "CREATE TABLE t AS SELECT 1 AS id, 0 AS v UNION SELECT 2, 0");
    std::barrier both{2};
    const auto cross = [&](int first, int second) {
        const auto mine = database.connect();
        ask(*mine, "SET deadlock_timeout = 50");
        return failure_in(*mine, [&] {
            pqxx::work work{mine->raw()};
            work.exec("UPDATE t SET v = v + 1 WHERE id = " + std::to_string(first));
            both.arrive_and_wait();
            work.exec("UPDATE t SET v = v + 1 WHERE id = " + std::to_string(second));
            work.commit();
        });
    };
    auto other = std::async(std::launch::async, cross, 2, 1);
    const auto mine = cross(1, 2);
    const auto theirs = other.get();
    ASSERT_NE(mine.has_value(), theirs.has_value()) << "one of two is the victim";
    EXPECT_EQ((mine ? *mine : *theirs).code, Errc::store_conflict);
}

TEST_F(ConnectionTest, CallsASerializationFailureAConflict) {
    ask(*connection, "CREATE TABLE t AS SELECT 1 AS id, 0 AS v");
    using Serial = pqxx::transaction<pqxx::serializable>;
    const auto fault = failure_in(*connection, [&] {
        Serial mine{connection->raw()};
        mine.exec("SELECT sum(v) FROM t");
        const auto other = database.connect();
        ask(*other, "UPDATE t SET v = 5");
        mine.exec("UPDATE t SET v = 6");
        mine.commit();
    });
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Errc::store_conflict);
    EXPECT_TRUE(is_retryable(fault->code));
}

TEST_F(ConnectionTest, TellsWhatWasWrongButNotWhose) {
    ask(*connection, "CREATE TABLE t (address text PRIMARY KEY, CHECK (address <> 'bob'))");
    ask(*connection, "INSERT INTO t VALUES ('ada@example.org')");
    const std::pair<const char*, const char*> faults[]{
        {"INSERT INTO t VALUES ('ada@example.org')",
         "duplicate key: the row is there already "
         "(SQLSTATE 23505)"},
        {"SELECT 'ada@example.org'::uuid", "form of the type it is cast to (SQLSTATE 22P02)"},
        {"SELECT 'ada@example.org'::timestamptz", "is no moment"},
        {"SELECT '{ada@example.org'::jsonb", "(SQLSTATE 22P02)"},
        {"SELECT ('{\"a\": \"ada@example.org\"}'::jsonb->>'a')::int", "(SQLSTATE 22P02)"},
        {"DO $$ BEGIN RAISE EXCEPTION 'ada@example.org'; END $$", "(SQLSTATE P0001)"},
        {"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '42703', MESSAGE = 'ada@example.org'; END $$",
         "(SQLSTATE 42703)"},
        {"INSERT INTO t VALUES ('bob')", "CHECK"},
        {"SELECT 1,\n \"ada@example.org\"", "a column that is not there, line 2 (SQLSTATE 42703)"},
        {"SELECT 1\nada@example.org", "is no SQL, line 2 (SQLSTATE 42601)"},
        {"SELECT * FROM \"ada@example.org\"", "a table that is not there, line 1"},
        {"SELECT repeat('ada@example.org', 3)::varchar(3)::char(2)::int", "22P02"}};
    for (const auto& [sql, expected] : faults) {
        const auto fault = failure(*connection, sql);
        ASSERT_TRUE(fault) << sql;
        EXPECT_THAT(describe(*fault), HasSubstr(expected)) << sql;
        EXPECT_THAT(describe(*fault), Not(HasSubstr("ada"))) << sql;
        EXPECT_THAT(to_sentence(*fault), Not(HasSubstr("ada"))) << sql;
    }
}

TEST_F(ConnectionTest, TellsNoValueThatItsOwnSideCannotRead) {
    const auto fault = failure_in(*connection, [&] {
        pqxx::nontransaction work{connection->raw()};
        std::ignore = work.exec("SELECT 'ada@example.org'")[0][0].as<int>();
    });
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Errc::store_rejected);
    EXPECT_THAT(describe(*fault), Not(HasSubstr("ada")));
    EXPECT_THAT(describe(to_failure(QueryMistake{"no column address"}, true, "load contacts")),
                HasSubstr("load contacts: no column address"));
}

TEST_F(ConnectionTest, SaysWhereNobodyAnswersAndWhy) {
    const auto refused = [](const std::string& url) {
        try {
            const Connection refusing{Secret{url}, {}};
        } catch (const std::exception& fault) {
            return to_failure(fault, false, "ask");
        }
        return fail(Errc::stopping, "nothing");
    };
    const auto away = refused("postgresql://ada:hush@127.0.0.1:1/nowhere");
    EXPECT_EQ(away.code, Errc::store_unavailable);
    EXPECT_EQ(away.doing, "ask: 127.0.0.1:1/nowhere: nobody listens there");
    const auto& url = database.url().reveal();
    const auto none = refused(url.substr(0, url.rfind('/')) + "/ada_is_no_database");
    EXPECT_EQ(none.code, Errc::store_unavailable);
    EXPECT_THAT(none.doing, HasSubstr("there is no such user or database"));
}

TEST_F(ConnectionTest, AnArrayWithANulIsRefusedNotShortened) {
    // libpqxx 6.4 cuts text at a NUL: "victim\0x" must never be looked up as "victim".
    std::string literal{"{"};
    append_element(literal, std::string_view{"victim\0x", 8});
    literal.push_back('}');
    const auto fault = failure_in(*connection, [&] {
        pqxx::nontransaction work{connection->raw()};
        work.exec_params("SELECT unnest($1::text[])", literal);
    });
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Errc::store_data);
}

TEST_F(ConnectionTest, AgreesWithPostgresOnArrays) {
    const std::vector<std::string> values{
        "plain", "",     "NULL", "null", "a,b", "{x}",   "\"q\"",  "b\\s\\", "a b", "\n\t",
        "'",     "日本", "🎉",    "é",    "$1",  "x\\,y", "\\\\\"", " ",      "{}",  "\x7f"};
    std::string literal{"{"};
    for (const auto& value : values) append_element(literal, value);
    literal.push_back('}');
    pqxx::nontransaction work{connection->raw()};
    const auto rows = work.exec_params("SELECT unnest($1::text[])", literal);
    ASSERT_EQ(rows.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(rows[static_cast<pqxx::result::size_type>(i)][0].c_str(), values[i]);
    }
    TextArray array;
    const auto back = work.exec_params("SELECT $1::text[]", literal);
    parse_array(back[0][0].c_str(), array);
    EXPECT_THAT(array.elements, ::testing::ElementsAreArray(values));
}

class PoolTest : public ::testing::Test {
protected:
    Result<std::string> ask_pool(const std::string& sql) { return test::run(context, asked(sql)); }
    boost::asio::awaitable<Result<std::string>> asked(std::string sql) {
        auto answer =
            co_await pool.run("ask", [&](Connection& connection) { return ask(connection, sql); });
        co_return answer;
    }

    void cut_off(const Connection& connection, const std::string& pid) const {
        kill(database, pid);
        while (connection.is_alive()) std::this_thread::yield();
    }
    /// A connection is cut while it is out; `sql`, if any, is asked through it then.
    Result<std::string> cut_one(std::string& pid, const std::string& sql) {
        auto cut = [&](Connection& connection) {
            pid = ask(connection, "SELECT pg_backend_pid()");
            cut_off(connection, pid);
            return sql.empty() ? pid : ask(connection, sql);
        };
        return pool.call("ask", cut);
    }

    TestDatabase database;
    boost::asio::io_context context{1};  // Outlives the pool, whose threads look at it.
    Pool pool{database.url(), {}, 1};
};

TEST_F(PoolTest, KeepsAConnectionThatWorks) {
    const auto first = ask_pool("SELECT pg_backend_pid()");
    ASSERT_TRUE(first) << describe(first.error());
    EXPECT_EQ(ask_pool("SELECT pg_backend_pid()").value(), first.value());
}

TEST_F(PoolTest, HandsOutNoConnectionThatTheServerCut) {
    std::string first;
    ASSERT_TRUE(cut_one(first, ""));  // As if it had been cut while nobody had it.
    EXPECT_NE(ask_pool("SELECT pg_backend_pid()").value(), first);
    EXPECT_EQ(pool.load().failed, 0U);
}

TEST_F(PoolTest, HandsOutANewConnectionAfterAFault) {
    std::string first;
    const auto broken = cut_one(first, "SELECT 1");
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, Errc::store_unavailable);
    const auto second = ask_pool("SELECT pg_backend_pid()");
    ASSERT_TRUE(second) << describe(second.error());
    EXPECT_NE(second.value(), first);
    EXPECT_EQ(ask_pool("SHOW statement_timeout").value(), "30s") << "with its settings";
}

TEST_F(PoolTest, ForgetsAllConnectionsWhenOneDied) {
    std::vector<std::string> pids;
    auto inner = [&](Connection& connection) {
        pids.push_back(ask(connection, "SELECT pg_backend_pid()"));
    };
    auto middle = [&](Connection& connection) {
        pids.push_back(ask(connection, "SELECT pg_backend_pid()"));
        return pool.call("ask", inner).has_value();
    };
    auto outer = [&](Connection& connection) {
        pids.push_back(ask(connection, "SELECT pg_backend_pid()"));
        EXPECT_TRUE(pool.call("ask", middle));
        for (const auto& pid : pids) cut_off(connection, pid);
        return ask(connection, "SELECT 1");
    };
    EXPECT_FALSE(pool.call("ask", outer));
    EXPECT_TRUE(ask_pool("SELECT 1")) << "one restart, one failed statement";
}

TEST_F(PoolTest, LetsGoOfAConnectionWhoseWorkFailed) {
    const auto first = ask_pool("SELECT pg_backend_pid()").value();
    ASSERT_FALSE(ask_pool("SELEKT"));
    EXPECT_NE(ask_pool("SELECT pg_backend_pid()").value(), first);
}

TEST_F(PoolTest, SaysWhatItDoesJustNow) {
    std::promise<void> begun, go;
    auto hold = [&](Connection&) {
        begun.set_value();
        go.get_future().wait();
        return true;
    };
    auto first = pool.run("hold", hold);
    boost::asio::co_spawn(context, std::move(first), boost::asio::detached);
    auto second = pool.run("wait", [](Connection&) { return true; });
    boost::asio::co_spawn(context, std::move(second), boost::asio::detached);
    std::thread loop{[this] { context.run(); }};
    begun.get_future().wait();
    while (pool.load().waiting != 1) std::this_thread::yield();
    const auto busy = pool.load();
    EXPECT_EQ(busy.threads, 1U);
    EXPECT_EQ(busy.in_use, 1U);
    go.set_value();
    loop.join();
    context.restart();
    EXPECT_EQ(pool.load().waiting, 0U);
    EXPECT_EQ(pool.load().failed, 0U);
    EXPECT_FALSE(ask_pool("SELEKT"));
    EXPECT_EQ(pool.load().in_use, 0U);
    EXPECT_EQ(pool.load().failed, 1U);
}

TEST_F(PoolTest, SaysUnavailableWhenThereIsNoServer) {
    Pool nowhere{Secret{"postgresql://127.0.0.1:1/x"}, {}, 1};
    auto work = [](Connection& connection) { return ask(connection, "SELECT 1"); };
    const auto answer = nowhere.call("ask", work);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::store_unavailable);
}

TEST_F(PoolTest, SaysThatACommitIsInDoubtOrFailedButNeverDone) {
    // The server dies between the statement and its commit.
    auto work = [&](Connection& connection) {
        pqxx::work change{connection.raw()};
        change.exec("CREATE TABLE t (a int)");
        const std::string pid = change.exec("SELECT pg_backend_pid()")[0][0].c_str();
        kill(database, pid);
        change.commit();
        return 0;
    };
    const auto answer = pool.call("commit", work);
    ASSERT_FALSE(answer);
    EXPECT_TRUE(is_retryable(answer.error().code));
    EXPECT_EQ(ask_pool("SELECT to_regclass('t') IS NULL").value(), "t");
}

}  // namespace
}  // namespace fanfare::postgres
