// A contact query of everybody gives the same people by range and by key, whatever their ids are.
#include "worker/send/contact_query.hpp"
#include "tests/support/test_database.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/nontransaction>

#include <map>

namespace fanfare {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// As if whatever happens between two looks at it took as long as the test says.
struct SlowClock final : Clock {
    TimePoint now() const noexcept override { return {}; }
    SteadyTime steady_now() const noexcept override { return moment += step; }

    mutable SteadyTime moment;
    std::chrono::milliseconds step{0};
};

class ContactQueryTest : public ::testing::Test {
protected:
    ContactQueryTest() {
        system_.name = "s";
        context_->system = &system_;
        context_->ways = &ways_;
    }

    /// People 1 to `count`, of whom `id` makes an id; `address` of n.
    void people(const std::string& type, const std::string& id, int count = 300,
                const std::string& address = "'a' || n || '@x.org'") {
        run(
            fmt::format("CREATE TABLE people AS SELECT ({})::{} AS id, {} AS address "
                        "FROM generate_series(1, {}) n",
                        id, type, address, count));
        run("CREATE UNIQUE INDEX ON people (id)");
        run("ANALYZE people");
        asks("SELECT id AS recipient_id, address FROM people");
    }
    void asks(const std::string& relation) {
        auto& contact = system_.contacts[0].emplace();
        contact.relation = relation;
        contact.query.sql = contacts_where(relation, "contact.recipient_id = ANY($1)");
    }
    pqxx::result run(const std::string& sql) {
        return pqxx::nontransaction{source_->raw()}.exec(sql);
    }
    std::vector<std::string> ids(const std::string& condition) {
        std::vector<std::string> found;
        for (const auto& row : run("SELECT id::text FROM people WHERE " + condition +
                                   " ORDER BY id::text COLLATE \"C\"")) {
            found.emplace_back(row[0].c_str());
        }
        return found;
    }
    bool has_range() { return !contact_ways(*source_, relation()).by_range.empty(); }
    const std::string& relation() { return system_.contacts[0]->relation; }

    /// Of whom an address comes, of those asked for.
    std::map<std::string, std::string> ask(const std::vector<std::string>& wanted) {
        ledger::ChunkPeople chunk;
        chunk.recipients_literal = postgres::to_array_literal(wanted);
        postgres::parse_array(chunk.recipients_literal, chunk.recipients);
        chunk.outcomes.assign(wanted.size(), '\0');
        Claim claim;
        claim.key = {"", Channel::email, 0};
        claim.job = context_;
        Resolved resolved;
        EXPECT_EQ(load_contacts(*source_, claim, chunk, resolved), ContactsRead::whole);
        rows_ = resolved.rows.size();
        std::map<std::string, std::string> found;
        for (const auto& target : resolved.targets) {
            found[wanted[target.recipient]] = std::string{target.written};
        }
        gone_ = 0;
        for (const auto& fate : resolved.fates) gone_ += fate.reason == Reason::recipient_gone;
        failed_ = 0;
        for (const auto& fate : resolved.fates) failed_ += fate.outcome == Outcome::failed;
        return found;
    }
    bool was_scattered() { return context_->is_scattered[0]; }
    /// The plan that is made without a look at the parameters.
    std::string plan_of(const std::string& sql, const std::string& values) {
        run("SET plan_cache_mode = force_generic_plan");
        run("SET enable_seqscan = off");
        run("DEALLOCATE ALL");
        run("PREPARE asked AS " + sql);
        std::string text;
        for (const auto& row : run("EXPLAIN EXECUTE asked(" + values + ")")) {
            text += fmt::format("{}\n", row[0].c_str());
        }
        return text;
    }

    test::TestDatabase database_{"TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"};
    std::unique_ptr<postgres::Connection> source_ = database_.connect();
    System system_;
    SlowClock clock_;
    KnownContactWays ways_{clock_};
    std::shared_ptr<JobContext> context_ = std::make_shared<JobContext>();
    std::size_t rows_ = 0;
    int gone_ = 0;
    int failed_ = 0;
};

TEST_F(ContactQueryTest, MostOfARangeAreAskedForByItsEnds) {
    for (const auto* const type : {"text", "varchar(40)", "uuid"}) {
        KnownContactWays ways{clock_};
        context_->ways = &ways;
        people(type, "md5(n::text)");
        EXPECT_TRUE(has_range()) << type;
        const auto wanted = ids("address NOT LIKE '%7@%'");
        const auto found = ask(wanted);
        EXPECT_EQ(found.size(), wanted.size()) << type;
        EXPECT_GT(rows_, wanted.size()) << type << ": others come too, and are left out";
        EXPECT_FALSE(was_scattered()) << type;
        run("DROP TABLE people");
    }
}

TEST_F(ContactQueryTest, WhatARangeTakesLongerForIsAskedForByKey) {
    people("text", "md5(n::text)");
    const auto wanted = ids("address NOT LIKE '%7@%'");
    clock_.step = std::chrono::seconds{1};
    ask(wanted);
    EXPECT_GT(rows_, wanted.size()) << "by range, with others";
    clock_.step = std::chrono::milliseconds{1};
    ask(wanted);
    EXPECT_EQ(ask(wanted).size(), wanted.size());
    EXPECT_EQ(rows_, wanted.size());
    EXPECT_FALSE(was_scattered());
}

TEST_F(ContactQueryTest, IdsOfAnotherOrderAreAskedForByKey) {
    people("bigint", "n");
    EXPECT_FALSE(has_range());
    const auto wanted = ids("id <= 200");  // "10" before "2".
    EXPECT_EQ(ask(wanted).size(), 200U);
    EXPECT_EQ(rows_, 200U);
    run("ALTER TABLE people ALTER id TYPE text COLLATE \"und-x-icu\"");
    EXPECT_FALSE(has_range());
}

TEST_F(ContactQueryTest, FewAmongManyAreAskedForByKeyAndSoIsTheRestOfTheJob) {
    people("text", "lpad(n::text, 6, '0')", 5'000);
    const auto wanted = ids("id LIKE '%00'");
    EXPECT_EQ(ask(wanted).size(), 50U);
    EXPECT_EQ(rows_, 50U);
    EXPECT_TRUE(was_scattered());
    const auto close = ids("id <= '000050'");
    EXPECT_EQ(ask(close).size(), 50U);
}

TEST_F(ContactQueryTest, AnErrorAtSomebodyWhoIsNotAskedForCostsNobodyTheirMessage) {
    people("text", "lpad(n::text, 6, '0')", 100, "CASE WHEN n = 50 THEN 'bad' ELSE n::text END");
    asks("SELECT id AS recipient_id, (address::int) || '@x.org' AS address FROM people");
    EXPECT_EQ(ask(ids("id <> '000050'")).size(), 99U);
    EXPECT_EQ(failed_, 0);
    EXPECT_EQ(ask(ids("true")).size(), 99U);
    EXPECT_EQ(failed_, 1) << "asked for by name, it is theirs";
}

TEST_F(ContactQueryTest, WhoIsGoneIsGoneByRangeToo) {
    people("uuid", "md5(n::text)::uuid");
    const auto wanted = ids("true");
    run("DELETE FROM people WHERE address IN ('a5@x.org', 'a6@x.org')");
    EXPECT_EQ(ask(wanted).size(), 298U);
    EXPECT_EQ(gone_, 2);
    EXPECT_EQ(rows_, 298U);
}

TEST_F(ContactQueryTest, OnlyOneSpellingOfAUuidHasAPlaceInARange) {
    people("uuid", "md5(n::text)::uuid", 100);
    auto wanted = ids("id >= 'a0000000-0000-0000-0000-000000000000'");
    // In capitals they come first, though they are the last: a range from there would be empty.
    for (auto& c : wanted.back()) c = static_cast<char>(c >= 'a' && c <= 'f' ? c - 32 : c);
    std::sort(wanted.begin(), wanted.end());
    EXPECT_GT(wanted.size(), ContactQuery::range_people_min);
    EXPECT_EQ(ask(wanted).size(), wanted.size() - 1);
}

TEST_F(ContactQueryTest, HyphensElsewhereAreAnotherSpellingOfAUuid) {
    people("uuid", "md5(n::text)::uuid", 100);
    auto wanted = ids("id >= 'a0000000-0000-0000-0000-000000000000'");
    run("INSERT INTO people VALUES ('a0000000-0000-0000-0000-000000000001', 'first@x.org')");
    wanted.emplace_back("a0000000-0000-0000-0000-000000000001");
    // A uuid to PostgreSQL, after that one; as text before it.
    wanted.emplace_back("a000-0000-0000-0000-0000000000000002");
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(ask(wanted).size(), wanted.size() - 1);
}

TEST_F(ContactQueryTest, IdsThatGrowWiderCostNobody) {
    people("int", "n", 100);
    EXPECT_EQ(ask(ids("true")).size(), 100U);
    run("ALTER TABLE people ALTER id TYPE bigint");
    run("INSERT INTO people VALUES (3000000000, 'big@x.org')");
    EXPECT_EQ(ask(ids("true")).size(), 101U);
    EXPECT_EQ(failed_, 0);
}

TEST_F(ContactQueryTest, ATableThatIsMadeAnewWithOtherIdsIsAskedAnew) {
    people("text", "lpad(n::text, 6, '0')", 100);
    EXPECT_EQ(ask(ids("true")).size(), 100U);
    run("DROP TABLE people");
    people("bigint", "n", 100);
    const auto wanted = ids("true");
    EXPECT_ANY_THROW(ask(wanted));  // The operator is not there; the sender asks again.
    source_ = database_.connect();
    EXPECT_EQ(ask(wanted).size(), 100U);
}

TEST_F(ContactQueryTest, AColumnOfAnotherTypeCostsNobody) {
    people("uuid", "md5(n::text)::uuid");
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(ids("true")).size(), 300U);
    run("ALTER TABLE people ALTER address TYPE varchar(60)");
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(ids("true")).size(), 300U);
}

TEST_F(ContactQueryTest, NeitherWayIsPlannedWithTheIds) {
    people("uuid", "md5(n::text)::uuid", 5'000);
    const auto ways = contact_ways(*source_, relation());
    const auto by_key = plan_of(ways.by_key, "'{}'");
    EXPECT_THAT(by_key, HasSubstr("InitPlan"));
    EXPECT_THAT(by_key, HasSubstr("Index Cond: (id = ANY"));
    const auto by_range = plan_of(ways.by_range,
                                  "'00000000-0000-0000-0000-000000000000', "
                                  "'ffffffff-ffff-ffff-ffff-ffffffffffff', 10");
    EXPECT_THAT(by_range, HasSubstr("Index Cond: ((id >= $1) AND (id <= $2))"));
    EXPECT_THAT(by_range, Not(HasSubstr("Filter")));
}

}  // namespace
}  // namespace fanfare
