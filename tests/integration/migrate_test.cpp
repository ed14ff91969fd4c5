#include "core/ledger/migrate.hpp"

#include "tests/support/test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MigrateTest : public ::testing::Test {
protected:
    MigrateTest() {
        folder = std::filesystem::temp_directory_path() /
                 ("fanfare-migrate-test-" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
    }
    ~MigrateTest() override { std::filesystem::remove_all(folder); }

    void file(const std::string& name, const std::string& sql) {
        std::ofstream{folder / name} << sql;
    }
    std::string value(const std::string& sql) {
        const auto connection = database.connect();
        pqxx::nontransaction work{connection->raw()};
        return work.exec(sql)[0][0].c_str();
    }

    test::TestDatabase database;
    std::filesystem::path folder;
};

TEST_F(MigrateTest, AppliesEachFileOnceAndInOrder) {
    file("001_first.sql", "CREATE TABLE a (n int); INSERT INTO a VALUES (1);");
    file("002_second.sql", "INSERT INTO a VALUES (2);");
    file("notes.txt", "no SQL at all");
    EXPECT_THAT(migrate(database.url(), folder).value(), ElementsAre("001_first", "002_second"));
    EXPECT_THAT(migrate(database.url(), folder).value(), IsEmpty());
    EXPECT_EQ(value("SELECT count(*) FROM a"), "2");

    file("003_third.sql", "INSERT INTO a VALUES (3);");
    EXPECT_THAT(migrate(database.url(), folder).value(), ElementsAre("003_third"));
    EXPECT_EQ(value("SELECT count(*) FROM a"), "3");
}

TEST_F(MigrateTest, OfTheLedgerIsGoodTwice) {
    const std::filesystem::path shipped{FANFARE_SOURCE_DIR "/config/migrations"};
    EXPECT_THAT(migrate(database.url(), shipped).value(), ::testing::Contains("001_ledger"));
    EXPECT_THAT(migrate(database.url(), shipped).value(), IsEmpty());
}

TEST_F(MigrateTest, WhatIsInUseIsTriedAgain) {
    file("001_first.sql", "CREATE TABLE a (n int); CREATE SEQUENCE tries;");
    // A sequence counts on where all else is rolled back.
    file("002_second.sql",
         "INSERT INTO a VALUES (1);"
         "DO $$ DECLARE n int := nextval('tries'); BEGIN"
         "  IF n = 1 THEN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END IF;"
         "  IF n = 2 THEN RAISE EXCEPTION USING ERRCODE = 'lock_not_available'; END IF;"
         "  IF n = 3 THEN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END IF;"
         "END $$;");
    std::vector<int> told;
    const auto applied = migrate(database.url(), folder, [&](const std::string& name, int tries) {
        EXPECT_EQ(name, "002_second");
        told.push_back(tries);
    });
    ASSERT_TRUE(applied) << describe(applied.error());
    EXPECT_THAT(applied.value(), ElementsAre("001_first", "002_second"));
    EXPECT_THAT(told, ElementsAre(1, 2, 3));
    EXPECT_EQ(value("SELECT count(*) FROM a"), "1");
}

TEST_F(MigrateTest, WhatStaysInUseIsAConflictInTheEnd) {
    file("001_first.sql", "CREATE TABLE a (n int); CREATE SEQUENCE tries;");
    file("002_second.sql",
         "DO $$ BEGIN PERFORM nextval('tries');"
         "  RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$;");
    const auto applied = migrate(database.url(), folder);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, Errc::store_conflict);
    EXPECT_EQ(value("SELECT last_value FROM tries"), std::to_string(migrate_tries_max));
    EXPECT_EQ(value("SELECT count(*) FROM schema_migration"), "1");
}

TEST_F(MigrateTest, ADeadlockWithAProgramEndsWell) {
    file("001_first.sql", "CREATE TABLE a (n int); CREATE TABLE b (n int);");
    ASSERT_TRUE(migrate(database.url(), folder));
    // The migration finds the deadlock, the program never looks.
    file("002_second.sql",
         "SET LOCAL deadlock_timeout = '2s'; ALTER TABLE a ADD COLUMN m int; "
         "ALTER TABLE b ADD COLUMN m int;");
    const auto program = database.connect();
    int conflicts = 0;
    std::future<Result<std::vector<std::string>>> applied;
    {
        pqxx::work work{program->raw()};
        work.exec("SET LOCAL deadlock_timeout = '10min'; LOCK TABLE b IN ROW EXCLUSIVE MODE");
        applied = std::async(std::launch::async, [&] {
            return migrate(database.url(), folder, [&](const std::string&, int) { ++conflicts; });
        });
        while (value("SELECT count(*) FROM pg_locks WHERE relation = 'b'::regclass "
                     "AND NOT granted") == "0") {
        }
        work.exec("INSERT INTO a VALUES (1)");
        work.commit();
    }
    const auto done = applied.get();
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_THAT(done.value(), ElementsAre("002_second"));
    EXPECT_GE(conflicts, 1);
    EXPECT_EQ(value("SELECT count(*) FROM information_schema.columns WHERE column_name = 'm'"),
              "2");
}

TEST_F(MigrateTest, ByTwoAtOnceAppliesOnce) {
    file("001_first.sql", "CREATE TABLE a (n int); SELECT pg_sleep(0.05);");
    file("002_second.sql", "INSERT INTO a VALUES (1);");
    std::vector<std::future<Result<std::vector<std::string>>>> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(
            std::async(std::launch::async, [&] { return migrate(database.url(), folder); }));
    }
    std::size_t applied = 0;
    for (auto& one : all) {
        const auto names = one.get();
        ASSERT_TRUE(names) << describe(names.error());
        applied += names.value().size();
    }
    EXPECT_EQ(applied, 2U);
    EXPECT_EQ(value("SELECT count(*) FROM a"), "1");
}

TEST_F(MigrateTest, RefusesAFileThatWasChangedAfterwards) {
    file("001_first.sql", "CREATE TABLE a (n int);");
    ASSERT_TRUE(migrate(database.url(), folder));
    file("001_first.sql", "CREATE TABLE a (n bigint);");
    file("002_second.sql", "CREATE TABLE b (n int);");
    const auto refused = migrate(database.url(), folder);
    ASSERT_FALSE(refused);
    EXPECT_THAT(describe(refused.error()), HasSubstr("001_first was changed after it was applied"));
    EXPECT_EQ(value("SELECT to_regclass('b') IS NULL"), "t");
}

TEST_F(MigrateTest, LeavesNothingOfAFileThatFails) {
    file("001_first.sql", "CREATE TABLE a (n int);");
    file("002_second.sql", "CREATE TABLE b (n int); INSERT INTO b VALUES ('x');");
    const auto failed = migrate(database.url(), folder);
    ASSERT_FALSE(failed);
    EXPECT_EQ(value("SELECT to_regclass('a') IS NOT NULL AND to_regclass('b') IS NULL"), "t");
    file("002_second.sql", "CREATE TABLE b (n int);");
    EXPECT_THAT(migrate(database.url(), folder).value(), ElementsAre("002_second"));
}

TEST_F(MigrateTest, SaysWhenThereIsNoServer) {
    const auto failed = migrate(Secret{"postgresql://127.0.0.1:1/x"}, folder);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::store_unavailable);
}

}  // namespace
}  // namespace fanfare::ledger
