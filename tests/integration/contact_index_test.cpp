// Which index would make a contact query cheaper, as PostgreSQL itself plans it.
#include "core/audience/contact_index.hpp"
#include "core/audience/contact_plan.hpp"

#include "tests/support/test_database.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/nontransaction>

namespace fanfare {
namespace {

using ::testing::HasSubstr;

class ContactIndexTest : public ::testing::Test {
protected:
    void people(int count, const std::string& type = "text COLLATE \"C\"") {
        run("DROP TABLE IF EXISTS \"the People\" CASCADE");
        run(
            fmt::format("CREATE TABLE \"the People\" AS SELECT md5(n::text)::{} AS id, "
                        "'p' || n || '@example.com' AS \"e-mail\", 'en' AS locale, "
                        "repeat('x', 200) AS about FROM generate_series(1, {}) n",
                        type, count));
        run("CREATE UNIQUE INDEX of_people ON \"the People\" (id)");
        run("VACUUM (ANALYZE) \"the People\"");
    }
    void run(const std::string& sql) { pqxx::nontransaction{source_->raw()}.exec(sql); }

    static constexpr const char* relation =
        "SELECT id AS recipient_id, \"e-mail\" AS address, coalesce(locale, 'en') AS locale "
        "FROM \"the People\" p";
    static constexpr const char* remedy =
        "CREATE INDEX CONCURRENTLY ON public.\"the People\" (id) INCLUDE (\"e-mail\", locale)";

    test::TestDatabase database_;
    std::unique_ptr<postgres::Connection> source_ = database_.connect();
};

TEST_F(ContactIndexTest, IsProposedAndThenTaken) {
    for (const auto* const type : {"text COLLATE \"C\"", "uuid"}) {
        people(20'000, type);
        const auto advice = index_advice(*source_, relation);
        ASSERT_TRUE(advice) << type;
        EXPECT_THAT(advice->found, HasSubstr("public.\"the People\"")) << type;
        EXPECT_THAT(advice->remedy, HasSubstr(std::string{remedy} + "; VACUUM")) << type;
        run(remedy);
        run("VACUUM (ANALYZE) \"the People\"");
        EXPECT_FALSE(index_advice(*source_, relation)) << type;
    }
}

TEST_F(ContactIndexTest, OfATableThatNoVacuumHasSeenItIsNotEnough) {
    people(20'000);
    run(remedy);
    run("UPDATE \"the People\" SET locale = 'de'");
    run("ANALYZE \"the People\"");
    run("SET enable_bitmapscan = off; SET enable_indexscan = on; SET random_page_cost = 1");
    const auto advice = index_advice(*source_, relation);
    ASSERT_TRUE(advice);
    EXPECT_THAT(advice->remedy, HasSubstr("VACUUM"));
    EXPECT_THAT(advice->remedy, HasSubstr("public.\"the People\""));
}

TEST_F(ContactIndexTest, IsOfTheTableThatHasTheIds) {
    people(20'000);
    run("CREATE TABLE device AS SELECT id AS user_id, 'token' || id AS token FROM \"the People\"");
    run("CREATE INDEX ON device (user_id)");
    run("VACUUM (ANALYZE) device");
    const auto advice = index_advice(
        *source_,
        "SELECT p.id AS recipient_id, d.token AS address, p.locale FROM \"the People\" p "
        "LEFT JOIN device d ON d.user_id = p.id");
    ASSERT_TRUE(advice);
    EXPECT_THAT(advice->remedy, HasSubstr("ON public.\"the People\" (id) INCLUDE (locale);"));
}

TEST_F(ContactIndexTest, IsNotProposedWhereItBringsNothing) {
    people(500);
    EXPECT_FALSE(index_advice(*source_, relation)) << "a small table";
    people(20'000, "text COLLATE \"en-x-icu\"");
    EXPECT_FALSE(index_advice(*source_, relation)) << "ids of another order are asked for by key";
    EXPECT_FALSE(index_advice(*source_, "SELECT gen_random_uuid() AS recipient_id, '' AS address"));
}

TEST_F(ContactIndexTest, ChangesNothingAndMayBeAskedAgain) {
    people(20'000);
    run("SET default_transaction_read_only = on");
    EXPECT_TRUE(index_advice(*source_, relation));
    EXPECT_TRUE(index_advice(*source_, relation));
    EXPECT_ANY_THROW((void)index_advice(*source_, "SELECT nothing"));
    EXPECT_TRUE(index_advice(*source_, relation));
}

TEST(ContactAccessTest, NamesWholeColumnsOnly) {
    EXPECT_TRUE(names_column({"lower(p.mail)"}, "p", "mail"));
    EXPECT_FALSE(names_column({"p.mailbox", "up.mail", "p.\"mail\""}, "p", "mail"));
    EXPECT_TRUE(names_column({"p.mailbox, p.mail"}, "p", "mail"));
}

TEST(ContactAccessTest, OfWhatIsNoPlanThereIsNone) {
    for (const auto* const plan :
         {"", "{}", "[]", "[1]", R"([{"Plan": 1}])", R"([{"Plan": {"Node Type": "Result"}}])",
          R"([{"Plan": {"Node Type": "Seq Scan", "Relation Name": "t"}}])"}) {
        EXPECT_FALSE(read_access(plan)) << plan;
    }
}

}  // namespace
}  // namespace fanfare
