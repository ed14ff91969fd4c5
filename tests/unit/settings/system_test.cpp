#include "core/systems/system.hpp"

#include "support.hpp"

#include <unistd.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using testing::environment_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsProblem;
using ::testing::Pair;
using testing::problems_of;
using namespace std::chrono_literals;

std::variant<System, Problems> load(std::string_view text,
                                    std::map<std::string, std::string> variables = {}) {
    return parse_system("systems/shop/system.yaml", text, environment_of(std::move(variables)));
}

System system_in(std::string_view text, std::map<std::string, std::string> variables = {}) {
    auto loaded = load(text, std::move(variables));
    for (const auto& problem : problems_of(loaded)) ADD_FAILURE() << describe(problem);
    auto* const system = std::get_if<System>(&loaded);
    return system == nullptr ? System{} : std::move(*system);
}

const std::string base =
    "audiences:\n  all: SELECT 1 AS recipient_id\n"
    "contacts:\n  email: SELECT 1 WHERE 1 = ANY(:recipients)\n"
    "  push: SELECT 1 WHERE 1 = ANY(:recipients)\n";

TEST(System, KindsSayWhoWasToldWhenAndHowOften) {
    const auto system = system_in(
        base +
        "notify: show_changed\noutbox: app.fanfare_outbox\n"
        "kinds:\n  start: {audience: all}\n  stop: {audience: {told: start}, cancels: "
        "[start], quiet_hours: {from: \"22:00\", to: 08:05, then: drop, time_zone: "
        "Europe/Berlin}, at_most: {count: 3, per_hours: 24}}\n  loud: {quiet_hours: none}\n"
        "schedules:\n  stop: SELECT 1\n");
    EXPECT_EQ(system.notify, "show_changed");
    EXPECT_EQ(system.outbox, "app.fanfare_outbox");
    const auto& kind = *system.find_kind("stop");
    EXPECT_EQ(kind.audience, "");
    EXPECT_EQ(kind.told, "start");
    EXPECT_THAT(kind.cancels, ElementsAre("start"));
    EXPECT_EQ(kind.quiet_hours, (QuietHours{22h, 8h + 5min, true, "Europe/Berlin"}));
    EXPECT_EQ(kind.at_most, (Cap{3, 24h}));
    EXPECT_EQ(system.find_kind("loud")->quiet_hours, std::nullopt);
}

TEST(System, MistakesInThoseAreReported) {
    const auto problems = problems_of(
        load(base + "notify: Show-Changed\noutbox: a;b\nkinds:\n"
                    "  a: {audience: {told: bb}, cancels: [a, c]}\n"
                    "  b: {quiet_hours: {from: \"24:00\", to: \"8:00\"}}\n"
                    "  bee: {quiet_hours: {from: \"22:00\"}, at_most: {count: 0}}\n"
                    "  d: {quiet_hours: {from: \"22:00\", to: \"22:00\"}, audience: {}}\n"
                    "  e: {quiet_hours: {from: \"22:00\", to: \"8:00\", time_zone: Nowhere/Land}}\n"
                    "  f: {quiet_hours: {from: \"22:00\", to: \"08:00\", time_zone: GMT+25}}\n"));
    std::vector<std::string> keys;
    for (const auto& problem : problems) keys.push_back(problem.key);
    EXPECT_THAT(keys, ::testing::UnorderedElementsAre(
                          "notify", "outbox", "kinds.a.audience.told", "kinds.a.cancels",
                          "kinds.a.cancels", "kinds.b.quiet_hours.from", "kinds.b.quiet_hours.to",
                          "kinds.bee.quiet_hours.to", "kinds.bee.at_most.count",
                          "kinds.d.quiet_hours.to", "kinds.d.audience", "kinds.e.quiet_hours.to",
                          "kinds.e.quiet_hours.time_zone", "kinds.f.quiet_hours.time_zone"));
}

TEST(System, ReadsWhatIsRunWhenAJobIsDone) {
    const auto system = system_in(
        "audiences:\n  fans: SELECT 1 AS recipient_id WHERE 'a' = :who\n"
        "contacts:\n  email: SELECT 1 WHERE 'a' = ANY(:recipients)\n"
        "kinds:\n  start: {audience: fans, stop_when_gone: true}\n"
        "write_backs:\n  done:\n    start: SELECT f(:who, :subject, :occurrence, :job)\n");
    EXPECT_TRUE(system.find_kind("start")->stop_when_gone);
    EXPECT_TRUE(system.writes_back());
    ASSERT_TRUE(system.done.contains("start"));
    EXPECT_THAT(system.done.at("start").parameters,
                ElementsAre("who", "subject", "occurrence", "job"));

    const auto problems = problems_of(
        load(base + "kinds:\n  start: {audience: all, stop_when_gone: perhaps}\n"
                    "write_backs:\n  done:\n    start: SELECT f(:wo)\n    stop: SELECT 1\n"));
    std::vector<std::string> keys;
    for (const auto& problem : problems) keys.push_back(problem.key);
    EXPECT_THAT(keys,
                ::testing::UnorderedElementsAre("kinds.start.stop_when_gone",
                                                "write_backs.done.start", "write_backs.done.stop"));
}

TEST(System, IsReadWhole) {
    const auto system = system_in(
        base +
            "database: {env: SHOP_URL}\nstatement_timeout_ms: 5000\n"
            "kinds:\n  sale.start: {lane: bulk, audience: all, channels: [push, email],"
            " templates: shop/sale, dedupe: address, times: [starts_at],"
            " person_defaults: {name: there}, collapse_key: \"s-{{id}}\", on_doubt: {push: hold}}\n"
            "schedules:\n  sale.start:\n    sql: |\n      SELECT\n        :horizon\n",
        {{"SHOP_URL", "dbname=shop"}});
    EXPECT_EQ(system.name, "shop");
    EXPECT_EQ(system.database.reveal(), "dbname=shop");
    EXPECT_EQ(system.statement_timeout, 5s);
    const auto* const kind = system.find_kind("sale.start");
    ASSERT_NE(kind, nullptr);
    EXPECT_EQ(kind->name, "sale.start");
    EXPECT_EQ(kind->lane, Lane::bulk);
    EXPECT_EQ(kind->audience, "all");
    EXPECT_THAT(kind->channels, ElementsAre(Channel::email, Channel::push));
    EXPECT_EQ(kind->templates, "shop/sale");
    EXPECT_EQ(kind->dedupe, Dedupe::address);
    EXPECT_THAT(kind->times, ElementsAre("starts_at"));
    EXPECT_THAT(kind->person_defaults, ElementsAre(Pair("name", "there")));
    EXPECT_EQ(kind->collapse_key, "s-{{id}}");
    EXPECT_EQ(kind->on_doubt[2], DoubtPolicy::hold);
    EXPECT_EQ(kind->on_doubt[0], std::nullopt);
    ASSERT_EQ(system.schedules.size(), 1U);
    EXPECT_EQ(system.schedules[0].kind, "sale.start");
    EXPECT_EQ(system.schedules[0].query.sql, "SELECT\n  $1::timestamptz");
    EXPECT_EQ(system.schedules[0].query.line, 13);
    EXPECT_EQ(system.find_kind("other"), nullptr);
    EXPECT_EQ(system.find_audience("other"), nullptr);
}

TEST(System, HasDefaults) {
    const auto system = system_in(base + "kinds:\n  plain:\n");
    EXPECT_TRUE(system.database.empty());
    EXPECT_EQ(system.statement_timeout, 30s);
    const auto* const kind = system.find_kind("plain");
    ASSERT_NE(kind, nullptr);
    EXPECT_EQ(kind->templates, "plain");
    EXPECT_EQ(kind->lane, Lane::normal);
    EXPECT_EQ(kind->dedupe, Dedupe::person);
    EXPECT_THAT(kind->channels, ElementsAre(Channel::email, Channel::push));
}

TEST(System, BoundsItsTimeout) {
    const auto with = [](const std::string& value) {
        return problems_of(load(base + "kinds: {a: {}}\nstatement_timeout_ms: " + value)).size();
    };
    EXPECT_EQ(with("99"), 1U);
    EXPECT_EQ(with("100"), 0U);
    EXPECT_EQ(with("600000"), 0U);
    EXPECT_EQ(with("600001"), 1U);
}

TEST(System, PointsIntoItsQueries) {
    EXPECT_THAT(
        problems_of(load("audiences:\n"
                         "  a: |\n"
                         "    SELECT 1\n"
                         "      ; SELECT 2\n"
                         "  b: SELECT :recipients\n"
                         "  c: [SELECT 1]\n"
                         "  d: {sql: SELECT 1, more: 1}\n"
                         "  e: {more: 1}\n"
                         "  D: SELECT 1\n"
                         "contacts:\n"
                         "  email: SELECT id FROM users\n"
                         "  push: SELECT :user_id\n"
                         "  fax: SELECT 1\n"
                         "kinds: {k: {audience: b}}\n"
                         "schedules:\n"
                         "  k: 'SELECT :until'\n")),
        ElementsAre(IsProblem(4, "audiences.a", "; before the end", "a single statement"),
                    IsProblem(5, "audiences.b", ":recipients", "parameters of the job"),
                    IsProblem(6, "audiences.c", "(a list)", "SQL text"),
                    IsProblem(7, "audiences.d.more", "(unknown key)", "a known key"),
                    IsProblem(8, "audiences.e.more", "(unknown key)", "a known key"),
                    IsProblem(8, "audiences.e", "(a map)", "SQL text"),
                    IsProblem(9, "audiences", "D", "a name of"),
                    IsProblem(12, "contacts.push", ":user_id", "no parameter but :recipients"),
                    IsProblem(13, "contacts.fax", "(unknown key)", "a known key"),
                    IsProblem(16, "schedules.k", ":until", "no parameter but :horizon")));
}

TEST(SystemTest, AContactQueryThatNamesNobodyIsAskedForThoseWhoAreWanted) {
    const auto system = system_in(
        "audiences:\n  a: SELECT id AS recipient_id FROM users\n"
        "contacts:\n  email: |\n    SELECT id AS recipient_id, address\n"
        "      FROM users -- everybody\n"
        "kinds:\n  k: {audience: a, channels: [email]}\n");
    const auto& contact = *system.contacts[0];
    EXPECT_EQ(contact.relation, "SELECT id AS recipient_id, address\n  FROM users");
    EXPECT_EQ(contact.query.sql,
              "SELECT * FROM (SELECT id AS recipient_id, address\n  FROM users\n) contact "
              "WHERE contact.recipient_id = ANY($1)");
    EXPECT_THAT(contact.query.parameters, ElementsAre("recipients"));
}

TEST(System, AnAudienceMayNameItsOwner) {
    const auto system = system_in(
        "audiences:\n"
        "  fans: {owner: who, sql: 'SELECT :who AS recipient_id'}\n"
        "  guests: {owner: who, optional: who, sql: 'SELECT :show WHERE :who IS NULL'}\n"
        "  some: {optional: [a, b], sql: 'SELECT :a, :b, :c'}\n"
        "  all: SELECT 1 AS recipient_id\n"
        "contacts:\n  email: SELECT 1 WHERE 1 = ANY(:recipients)\n"
        "kinds: {k: {}}\n");
    const auto& fans = *system.find_audience("fans");
    EXPECT_EQ(fans.owner, "who");
    EXPECT_TRUE(fans.needs("who"));
    EXPECT_TRUE(fans.is_everybody_of_an_owner());
    const auto& guests = *system.find_audience("guests");
    EXPECT_EQ(guests.owner, "who");
    EXPECT_FALSE(guests.needs("who"));
    EXPECT_FALSE(guests.is_everybody_of_an_owner()) << "it takes a show as well";
    const std::map<std::string, std::string> params{{"show", "s1"}};
    EXPECT_THAT(guests.values(params), ElementsAre(::testing::StrEq("s1"), nullptr));
    EXPECT_THAT(system.find_audience("some")->optional, ElementsAre("a", "b"));
    EXPECT_FALSE(system.find_audience("some")->is_everybody_of_an_owner());
    EXPECT_EQ(system.find_audience("all")->owner, "");
    EXPECT_FALSE(system.find_audience("all")->is_everybody_of_an_owner());
}

TEST(System, AnOwnerIsAParameterOfItsAudience) {
    EXPECT_THAT(
        problems_of(load("audiences:\n"
                         "  a: {owner: whose, sql: 'SELECT :who'}\n"
                         "  b: {owner: who, sql: SELECT 1}\n"
                         "  c: {owner: [who], sql: 'SELECT :who'}\n"
                         "  d: {optional: [who, whose], sql: 'SELECT :who'}\n"
                         "  e: {owned: who, sql: 'SELECT :who'}\n"
                         "contacts:\n  email: SELECT 1 WHERE 1 = ANY(:recipients)\n"
                         "kinds: {k: {}}\n")),
        ElementsAre(IsProblem(2, "audiences.a.owner", "whose", "a parameter of the query: who"),
                    IsProblem(3, "audiences.b.owner", "who", "which has none"),
                    IsProblem(4, "audiences.c.owner", "(a list)", "one parameter"),
                    IsProblem(5, "audiences.d.optional", "whose", "a parameter of the query"),
                    IsProblem(6, "audiences.e.owned", "(unknown key)", "a known key")));
}

TEST(System, RefusesKindsThatPointNowhere) {
    EXPECT_THAT(
        problems_of(load(base + "kinds:\n"
                                "  a: {audience: al}\n"
                                "  b: {channels: [sms]}\n"
                                "  c: {channels: []}\n"
                                "  d: {channels: [push, push, fax]}\n"
                                "  e: {lane: slow, dedupe: none, lanes: 1, templates: ../x}\n"
                                "  f: {times: [a-b], person_defaults: {a-b: c, d: [e]}}\n"
                                "  g: {on_doubt: {push: guess, fax: hold}}\n"
                                "  H: {}\n"
                                "  i: []\n"
                                "schedules:\n"
                                "  c: SELECT 1\n"
                                "  z: SELECT 1\n")),
        ElementsAre(IsProblem(9, "kinds.c.channels", "[]", "at least one channel"),
                    IsProblem(10, "kinds.d.channels[1]", "push", "each at most once"),
                    IsProblem(10, "kinds.d.channels[2]", "fax", "email, sms or push"),
                    IsProblem(11, "kinds.e.lane", "slow", "urgent, normal or bulk"),
                    IsProblem(11, "kinds.e.dedupe", "none", "person or address"),
                    IsProblem(11, "kinds.e.lanes", "(unknown key)", "kinds.e.lane?"),
                    IsProblem(11, "kinds.e.templates", "../x", "without .."),
                    IsProblem(12, "kinds.f.times[0]", "a-b", "variable"),
                    IsProblem(12, "kinds.f.person_defaults", "a-b", "letters"),
                    IsProblem(12, "kinds.f.person_defaults.d", "(a list)", "text"),
                    IsProblem(13, "kinds.g.on_doubt.push", "guess", "hold, resend or reconcile"),
                    IsProblem(13, "kinds.g.on_doubt.fax", "(unknown key)", "a known key"),
                    IsProblem(14, "kinds", "H", "a name of"),
                    IsProblem(15, "kinds.i", "(a list)", "a map"),
                    IsProblem(7, "kinds.a.audience", "al", "did you mean all?"),
                    IsProblem(8, "kinds.b.channels", "sms", "contacts.sms"),
                    IsProblem(17, "kinds.c.audience", "", "because the kind has a schedule"),
                    IsProblem(18, "schedules.z", "z", "a name below kinds")));
}

TEST(System, NeedsItsThreeSections) {
    EXPECT_THAT(problems_of(load("")), ElementsAre(IsProblem(0, "audiences", "", "a map"),
                                                   IsProblem(0, "contacts", "", "a map"),
                                                   IsProblem(0, "kinds", "", "a map")));
}

TEST(System, NeverHoldsASecret) {
    const auto found =
        problems_of(load(base + "kinds: {a: {}}\ndatabase: postgresql://u:hush@h/d\n"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].value, "(not shown)");
}

class SystemsTest : public ::testing::Test {
protected:
    ~SystemsTest() override { std::filesystem::remove_all(dir); }
    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories(dir / name);
        std::ofstream{dir / name / "system.yaml"} << text;
    }
    std::filesystem::path dir = std::filesystem::temp_directory_path() /
                                ("fanfare_systems_test_" + std::to_string(getpid()));
};

TEST_F(SystemsTest, AreTheFolders) {
    write("one", base + "kinds: {a: {}}\n");
    write("two", base + "kinds: {a: {}}\n");
    std::filesystem::create_directories(dir / ".hidden");
    std::ofstream{dir / "README.md"} << "hello";
    const auto loaded = load_systems(dir, environment_of({}));
    ASSERT_THAT(problems_of(loaded), IsEmpty());
    const auto& systems = std::get<Systems>(loaded);
    EXPECT_EQ(systems.size(), 2U);
    EXPECT_TRUE(systems.contains("one"));
    EXPECT_EQ(systems.at("two").find_audience("all")->query.file,
              (dir / "two/system.yaml").string());
}

TEST_F(SystemsTest, ReportTheProblemsOfAll) {
    write("one", base + "kinds: {a: {b: 1}}\n");
    write("two", "{");
    write("Three", base + "kinds: {a: {}}\n");
    std::filesystem::create_directories(dir / "four");
    const auto found = problems_of(load_systems(dir, environment_of({})));
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0].key, "(folder)");
    EXPECT_THAT(found[1].file, HasSubstr("four/system.yaml"));
    EXPECT_EQ(found[2].key, "kinds.a.b");
    EXPECT_THAT(found[3].expected, HasSubstr("valid YAML"));
}

TEST_F(SystemsTest, NeedTheFolder) {
    const auto found = problems_of(load_systems(dir / "gone", environment_of({})));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].key, "systems_dir");
}

}  // namespace
}  // namespace fanfare
