// What a system's database knows of an order.
#include "core/audience/reach.hpp"
#include "core/orders/order_look.hpp"
#include "tests/integration/ledger_case.hpp"
#include "tests/support/coroutines.hpp"

#include <boost/asio/io_context.hpp>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OrdersTest : public ledger::LedgerCase {
protected:
    OrdersTest() {
        sql("CREATE TABLE buyer (id uuid PRIMARY KEY, shop uuid, since timestamptz, age int, "
            "address text, name text)");
        auto& contact = system_.contacts[0].emplace();
        contact.query.sql =
            "SELECT id::text AS recipient_id, address, name FROM buyer "
            "WHERE id = ANY($1::text[]::uuid[])";
        kind_.name = kind_.templates = "sale";
        kind_.audience = "buyers";
        kind_.channels = {Channel::email};
        const std::vector<TemplateSource> sources{
            {"sale/email.subject.mustache", "Sale"},
            {"sale/email.text.mustache", "{{name}}: {{title}}"}};
        templates_ = std::get<Templates>(Templates::parse(sources));
        job_.audience = "buyers";
        job_.channels = {Channel::email};
        job_.data = {{"title", "Shoes"}};
    }
    void sql(const std::string& statement) {
        pqxx::nontransaction work{db().raw()};
        work.exec(statement);
    }
    void audience(const std::string& query, std::vector<std::string> parameters) {
        system_.audiences["buyers"] = {
            "buyers", {.sql = query, .parameters = std::move(parameters), .file = {}}, {}, {}};
    }
    std::string checked(RecentAnswers* recent = nullptr) {
        const Telling telling{job_, system_, kind_, templates_, false, TimePoint{}};
        const auto rejection = check_order(db(), telling, recent);
        return rejection ? rejection->code + " " + rejection->message : "";
    }

    System system_;
    Kind kind_;
    Templates templates_;
    Job job_;
};

TEST_F(OrdersTest, ColumnsOfAPersonAreVariables) {
    audience("SELECT id AS recipient_id FROM buyer", {});
    EXPECT_EQ(checked(), "");
    job_.data.clear();
    EXPECT_THAT(checked(), HasSubstr("missing_variable /data/title"));
}

TEST_F(OrdersTest, AParameterHasTheTypeItIsCastTo) {
    audience(
        "SELECT id AS recipient_id FROM buyer WHERE shop = $1::text::uuid "
        "AND since > $2::text::timestamptz AND age > CAST($3::text AS integer)",
        {"shop", "since", "age"});
    const std::map<std::string, std::string> good{{"shop", "0f8fad5b-d9cb-469f-a165-70867728950e"},
                                                  {"since", "2026-11-20T19:30:00Z"},
                                                  {"age", "18"}};
    job_.params = good;
    EXPECT_EQ(checked(), "");
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"shop", "abc"}, {"since", "next friday"}, {"age", "old"}}) {
        job_.params = good;
        job_.params[name] = value;
        EXPECT_EQ(checked(), "invalid_parameter /audience/params/" + name +
                                 ": is not of the type that the audience buyers casts it to");
        job_.recipients = {"x"};
        EXPECT_EQ(checked(), "") << "a list takes no parameters";
        job_.recipients.clear();
    }
    job_.params = good;
    job_.params["age"] = "99999999999";
    EXPECT_THAT(checked(), HasSubstr("invalid_parameter /audience/params/age"));
}

TEST_F(OrdersTest, OnlyWhatIsComparedAsTextTakesEveryText) {
    ManualClock clock{TimePoint{}};
    RecentAnswers recent{clock};
    const auto checked_with = [&](const std::string& condition) {
        audience("SELECT id AS recipient_id FROM buyer WHERE " + condition, {"value"});
        job_.params = {{"value", "abc"}};
        return checked(&recent);
    };
    for (const auto* const condition :
         {"name = $1::text", "( $1::text IS NOT NULL ) AND name =\n$1::text\nAND age > 1",
          "(name=$1::text) ORDER BY id", "name = $1::text || 'x'", "1 = length($1::text)"}) {
        EXPECT_EQ(checked_with(condition), "") << condition;
    }
    sql("CREATE FUNCTION as_number(int, text) RETURNS bool LANGUAGE sql IMMUTABLE "
        "AS 'SELECT $1 OPERATOR(pg_catalog.=) $2::int'; "
        "CREATE OPERATOR = (LEFTARG = int, RIGHTARG = text, FUNCTION = as_number)");
    for (const auto* const condition :
         {"shop = ($1::text)::uuid", "shop = $1::text ::uuid", "shop = $1::text\n::text::uuid",
          "name = $1::text AND shop = $1::text::uuid", "age = CAST( $1::text AS int)",
          "age = $1::text"}) {
        EXPECT_THAT(checked_with(condition), HasSubstr("invalid_parameter")) << condition;
    }
}

TEST_F(OrdersTest, OfWhatIsOnlyComparedTheDatabaseIsNotAskedEachTime) {
    ManualClock clock{TimePoint{}};
    RecentAnswers recent{clock};
    audience("SELECT id AS recipient_id FROM buyer WHERE name = $1::text", {"value"});
    job_.params = {{"value", "abc"}};
    EXPECT_EQ(checked(&recent), "");
    sql("ALTER TABLE buyer RENAME TO sold");
    job_.params = {{"value", "def"}};
    EXPECT_EQ(checked(&recent), "");
    job_.params = {{"value", "d\xc3\xa9j\xc3\xa0"}};
    EXPECT_THROW(checked(&recent), pqxx::sql_error) << "not every encoding has these";
}

TEST_F(OrdersTest, WhatAQuerySaidAMomentAgoIsGood) {
    ManualClock clock{TimePoint{}};
    RecentAnswers recent{clock};
    const auto columns = [&] { return recent.columns(db(), system_, Channel::email); };
    EXPECT_THAT(columns(), ElementsAre("name"));
    system_.contacts[0]->query.sql =
        "SELECT id::text AS recipient_id, address, name, age FROM buyer "
        "WHERE id = ANY($1::text[]::uuid[])";
    EXPECT_THAT(columns(), ElementsAre("name"));
    clock.advance(RecentAnswers::good_for);
    EXPECT_THAT(columns(), ElementsAre("name", "age"));
}

TEST_F(OrdersTest, NobodyIsRefusedForAColumnThatCameAMomentAgo) {
    ManualClock clock{TimePoint{}};
    RecentAnswers recent{clock};
    audience("SELECT id AS recipient_id FROM buyer", {});
    job_.data.clear();
    EXPECT_THAT(checked(&recent), HasSubstr("missing_variable /data/title"));
    system_.contacts[0]->query.sql =
        "SELECT id::text AS recipient_id, address, name, name AS title FROM buyer "
        "WHERE id = ANY($1::text[]::uuid[])";
    EXPECT_EQ(checked(&recent), "");
}

TEST_F(OrdersTest, AQueryThatFailsForAnyoneIsNotTheJobsFault) {
    audience("SELECT id AS recipient_id FROM buyer WHERE age = 1 / 0 AND shop = $1::text::uuid",
             {"shop"});
    job_.params = {{"shop", "0f8fad5b-d9cb-469f-a165-70867728950e"}};
    EXPECT_EQ(checked(), "") << "the planner says what is wrong with it";
    audience("SELECT id AS recipient_id FROM nowhere WHERE shop = $1::text::uuid", {"shop"});
    EXPECT_THROW(checked(), pqxx::sql_error);
    EXPECT_TRUE(db().is_open());
}

TEST_F(OrdersTest, PeopleAreNamedAsTheSystemDoes) {
    sql("INSERT INTO buyer (id, address, name) VALUES "
        "('0f8fad5b-d9cb-469f-a165-70867728950e', 'ana@example.com', 'Ana'), "
        "('aaaaaaaa-0000-0000-0000-000000000001', 'bob@example.com', 'Bob')");
    const std::string ana{"0f8fad5b-d9cb-469f-a165-70867728950e"};
    const std::string nobody{"aaaaaaaa-0000-0000-0000-000000000009"};
    for (const auto& sound : {std::vector{ana}, {nobody}, {ana, nobody}, {ana, "forty-two"}}) {
        job_.recipients = sound;
        EXPECT_EQ(checked(), "");
    }
    for (const std::string other :
         {"0F8FAD5B-D9CB-469F-A165-70867728950E", "{aaaaaaaa-0000-0000-0000-000000000001}",
          "0f8fad5bd9cb469fa16570867728950e"}) {
        job_.recipients = {nobody, other};
        std::sort(job_.recipients.begin(), job_.recipients.end());
        EXPECT_THAT(checked(), HasSubstr("invalid_recipient /audience/recipients")) << other;
    }
}

TEST_F(OrdersTest, WhoLeavesTakesTheAddressAlongHoweverTheIdIsSpelled) {
    sql("INSERT INTO buyer (id, address) VALUES "
        "('0f8fad5b-d9cb-469f-a165-70867728950e', 'ana@example.com'), "
        "('aaaaaaaa-0000-0000-0000-000000000001', 'bob@example.com')");
    const auto found = [this](const std::string& id) {
        return addresses_now(db(), system_, Channel::email, id);
    };
    EXPECT_THAT(found("0f8fad5b-d9cb-469f-a165-70867728950e"), ElementsAre("ana@example.com"));
    EXPECT_THAT(found("0F8FAD5B-D9CB-469F-A165-70867728950E"), ElementsAre("ana@example.com"));
    EXPECT_THAT(found("aaaaaaaa-0000-0000-0000-000000000009"), IsEmpty());
    system_.contacts[0]->query.sql =
        "SELECT id::text AS recipient_id, address FROM buyer WHERE $1::text[] IS NOT NULL";
    EXPECT_THAT(found("0F8FAD5B-D9CB-469F-A165-70867728950E"), IsEmpty()) << "not everybody's";
}

using Answer = std::optional<Rejection>;

boost::asio::awaitable<void> note(OrderLook& look, postgres::Pool& source, Telling telling,
                                  std::vector<Answer>& answers) {
    auto answer = co_await look.ask(source, telling);
    answers.push_back(std::move(answer));
}

class OrderLookTest : public OrdersTest {
protected:
    /// Many ask at once.
    std::vector<Answer> answers_from(postgres::Pool& source) {
        const Telling telling{job_, system_, kind_, templates_, false, TimePoint{}};
        std::vector<Answer> answers;
        for (int i = 0; i < 40; ++i) test::begin(loop_, note(look_, source, telling, answers));
        loop_.run();
        return answers;
    }

    ManualClock clock_{TimePoint{}};
    boost::asio::io_context loop_;  // Outlives the pools, whose threads look at it.
    OrderLook look_{clock_, OrderLook::of_a_caller};
};

TEST_F(OrderLookTest, ManyAtOnceAreEachAskedAbout) {
    audience("SELECT id AS recipient_id FROM buyer", {});
    job_.data.clear();
    postgres::Pool source{ledger.database().url(), {}, 2};
    const auto answers = answers_from(source);
    ASSERT_EQ(answers.size(), 40U);
    for (const auto& answer : answers) {
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->code, "missing_variable");
    }
}

TEST_F(OrderLookTest, NobodyWaitsForADatabaseThatIsAway) {
    postgres::Pool source{Secret{"postgresql://localhost:1/nowhere"}, {}, 2};
    const auto answers = answers_from(source);
    ASSERT_EQ(answers.size(), 40U);
    for (const auto& answer : answers) EXPECT_FALSE(answer);
}

TEST_F(OrderLookTest, NobodyWaitsForADatabaseThatIsSlow) {
    audience("SELECT id AS recipient_id FROM buyer", {});
    job_.data.clear();
    postgres::Pool source{ledger.database().url(), {}, 2};
    const Telling telling{job_, system_, kind_, templates_, false, TimePoint{}};
    std::vector<Answer> answers;
    {
        pqxx::work migration{db().raw()};
        migration.exec("LOCK TABLE buyer");
        for (int i = 0; i < 40; ++i) test::begin(loop_, note(look_, source, telling, answers));
        loop_.poll();
        clock_.advance(OrderLook::slow + std::chrono::seconds{1});
    }
    loop_.run();
    const auto asked = [&answers] {
        return std::count_if(answers.begin(), answers.end(),
                             [](const auto& answer) { return answer.has_value(); });
    };
    EXPECT_EQ(answers.size(), 40U);
    EXPECT_EQ(asked(), 2) << "whose turn it was, by the answers that came late";
    clock_.advance(OrderLook::rest);
    loop_.restart();
    test::begin(loop_, note(look_, source, telling, answers));
    loop_.run();
    EXPECT_EQ(asked(), 3);
}

}  // namespace
}  // namespace fanfare
