// Who of a chunk is still told, by the ledger's word as it is now.
#include "worker/send/resolve.hpp"

#include "core/ledger/addresses.hpp"
#include "core/ledger/caps.hpp"
#include "ledger_case.hpp"
#include "tests/support/coroutines.hpp"
#include "worker/send/contact_source.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ResolveTest : public ledger::LedgerCase {
protected:
    ResolveTest() {
        system.name = "shows";
        kind.name = "show.reminder";
        context = context_of("this");
        claim.key = {context->origin, Channel::email, 0};
        claim.job = context;
    }
    std::shared_ptr<JobContext> context_of(const std::string& job) {
        auto made = std::make_shared<JobContext>();
        made->system = &system;
        made->kind = &kind;
        made->origin = derived_id(job);
        made->source = &source;
        return made;
    }

    void persons(const std::vector<std::pair<std::string, std::string>>& rows) {
        ledger.column("DROP TABLE IF EXISTS person");
        ledger.column("CREATE TABLE person (id text, address text)");
        for (const auto& [id, address] : rows) {
            ledger.column(fmt::format("INSERT INTO person VALUES ('{}', '{}')", id, address));
        }
        system.contacts[0].emplace().query.sql =
            "SELECT id AS recipient_id, address FROM person WHERE id = ANY($1)";
    }
    static ledger::ChunkPeople people_of(const std::vector<std::string>& ids,
                                         const std::string& outcomes) {
        ledger::ChunkPeople people;
        people.recipients_literal = ledger::literal_of(ids);
        postgres::parse_array(people.recipients_literal, people.recipients);
        people.outcomes = outcomes.empty() ? std::string(ids.size(), '\0') : outcomes;
        return people;
    }

    /// Asks about everybody who has a row: person and address.
    void ask(const std::vector<std::pair<std::string, std::string>>& rows,
             const std::vector<std::string>& persons,
             std::initializer_list<Outcome> outcomes = {}) {
        this->persons(rows);
        people = people_of(persons, ledger::bytes_of(outcomes));
        ASSERT_EQ(load_contacts(db(), claim, people, resolved), ContactsRead::whole);
        apply_suppressions(db(), claim, people, resolved);
    }
    std::vector<std::string> told() {
        std::vector<std::string> addresses;
        for (const auto& target : resolved.targets) addresses.emplace_back(target.address);
        return addresses;
    }
    std::vector<Reason> reasons() {
        std::vector<Reason> all;
        for (const auto& fate : resolved.fates) all.push_back(fate.reason);
        return all;
    }

    System system;
    Kind kind;
    postgres::Pool source{ledger.database().url(), {}, 2};
    std::shared_ptr<JobContext> context;
    Claim claim;
    ledger::ChunkPeople people;
    Resolved resolved;
};

TEST_F(ResolveTest, WhoIsSuppressedIsNotTold) {
    ledger::add_suppressions(db(), Channel::email,
                             std::vector<ledger::NewSuppression>{{"b@x.org", "complaint"}}, "test");
    ask({{"a", "a@x.org"}, {"b", "b@x.org"}}, {"a", "b"});
    EXPECT_THAT(told(), ElementsAre("a@x.org"));
    EXPECT_THAT(reasons(), ElementsAre(Reason::none, Reason::on_suppression_list));
}

TEST_F(ResolveTest, WhoHasAnotherAddressIsToldThere) {
    ledger::add_suppressions(db(), Channel::email,
                             std::vector<ledger::NewSuppression>{{"old@x.org", "complaint"}},
                             "test");
    ask({{"a", "old@x.org"}, {"a", "new@x.org"}}, {"a"});
    EXPECT_THAT(told(), ElementsAre("new@x.org"));
    EXPECT_EQ(resolved.fates[0].outcome, Outcome::pending) << "nothing is decided yet";
}

TEST_F(ResolveTest, WhoseOutcomeIsFinalIsLeftAlone) {
    ask({{"a", "a@x.org"}, {"b", "b@x.org"}}, {"a", "b"}, {Outcome::sent, Outcome::pending});
    EXPECT_THAT(told(), ElementsAre("b@x.org"));
    EXPECT_THAT(reasons(), ElementsAre(Reason::none, Reason::none));
}

TEST_F(ResolveTest, WhomTheSystemKnowsNoLongerIsGone) {
    ask({{"a", "a@x.org"}}, {"a", "b"});
    EXPECT_THAT(told(), ElementsAre("a@x.org"));
    EXPECT_EQ(resolved.fates[1].reason, Reason::recipient_gone);
}

TEST_F(ResolveTest, WithoutAContactQueryEverybodyIsGone) {
    people = people_of({"a"}, "");
    ASSERT_EQ(load_contacts(db(), claim, people, resolved), ContactsRead::whole);
    apply_suppressions(db(), claim, people, resolved);
    EXPECT_THAT(resolved.targets, IsEmpty());
    EXPECT_EQ(resolved.fates[0].reason, Reason::recipient_gone);
}

TEST_F(ResolveTest, AnAddressBelongsToTheFirstWhoBringsItWhereTheKindSaysSo) {
    const std::vector<std::pair<std::string, std::string>> both{{"a", "one@x.org"},
                                                                {"b", "ONE@x.org"}};
    accept("this");
    ask(both, {"a", "b"});
    EXPECT_EQ(told().size(), 2U) << "a kind that tells persons";
    kind.dedupe = Dedupe::address;
    ask(both, {"a", "b"});
    EXPECT_THAT(told(), ElementsAre("one@x.org"));
    EXPECT_THAT(reasons(), ElementsAre(Reason::none, Reason::duplicate_address));
    ask(both, {"b"});
    EXPECT_THAT(told(), IsEmpty()) << "the owner stays the owner, whoever is asked for next";
}

TEST_F(ResolveTest, WhoHasBeenToldOftenEnoughIsNotTold) {
    static_cast<ledger::ChunkClaim&>(claim) = hold_a_chunk();
    kind.at_most = Cap{.count = 1, .window = std::chrono::hours{24}};
    ask({{"a", "a@x.org"}}, {"a"});
    EXPECT_THAT(told(), ElementsAre("a@x.org"));
    ask({{"a", "a@x.org"}}, {"a"});
    EXPECT_THAT(told(), ElementsAre("a@x.org")) << "a job does not count itself";
    context->origin = derived_id("another");
    ask({{"a", "a@x.org"}, {"b", "b@x.org"}}, {"a", "b"});
    EXPECT_THAT(told(), ElementsAre("b@x.org"));
    EXPECT_EQ(resolved.fates[0].reason, Reason::too_often);
}

TEST_F(ResolveTest, WhoIsSuppressedTakesNoPlaceUnderACap) {
    kind.at_most = Cap{.count = 1, .window = std::chrono::hours{24}};
    ledger::add_suppressions(db(), Channel::email,
                             std::vector<ledger::NewSuppression>{{"a@x.org", "complaint"}}, "test");
    ask({{"a", "a@x.org"}}, {"a"});
    EXPECT_THAT(told(), IsEmpty());
    context->origin = derived_id("another");
    ask({{"a", "a2@x.org"}}, {"a"});
    EXPECT_THAT(told(), ElementsAre("a2@x.org"));
}

/// Chunks that are looked up at the same time.
class ResolveTogetherTest : public ResolveTest {
protected:
    struct Chunk {
        Claim claim;
        ledger::ChunkPeople people;
        Resolved resolved;
        std::optional<ContactsRead> loaded;
        std::string composed;  // Whom it is for when requests are written.
    };
    Chunk& chunk(const std::string& job, const std::vector<std::string>& ids,
                 const std::string& outcomes = "") {
        auto& made = *chunks.emplace_back(std::make_unique<Chunk>());
        const auto of = context_of(job);
        made.claim.key = {of->origin, Channel::email, 0};
        made.claim.job = of;
        made.people = people_of(ids, outcomes);
        return made;
    }
    boost::asio::awaitable<void> look_up(Chunk& one) {
        const auto loaded = co_await contacts.load(one.claim, one.people, one.resolved);
        EXPECT_TRUE(loaded);
        if (!loaded) co_return;
        one.loaded = loaded.value();
        const std::function<void()> compose = [&one] {
            one.composed.clear();
            for (const auto& target : one.resolved.targets) {
                one.composed += std::string{target.address} + " ";
            }
        };
        const auto done = co_await contacts.suppress(one.claim, one.people, one.resolved, compose);
        EXPECT_TRUE(done);
    }
    /// All at once; the first alone, the others together while it is looked up.
    void look_all_up() {
        for (const auto& one : chunks) test::begin(loop, look_up(*one));
        loop.run();
    }

    boost::asio::io_context loop;
    postgres::Pool ledger_pool{ledger.database().url(), {}, 2};
    DatabaseContacts contacts{ledger_pool};
    std::vector<std::unique_ptr<Chunk>> chunks;
};

TEST_F(ResolveTogetherTest, EachHasTheirOwnPeople) {
    persons({{"a", "a@x.org"}, {"b", "b@x.org"}, {"b", "b2@x.org"}, {"c", "c@x.org"}});
    ledger::add_suppressions(db(), Channel::email,
                             std::vector<ledger::NewSuppression>{{"c@x.org", "complaint"}}, "test");
    const auto& first = chunk("1", {"a"});
    const auto& second = chunk("2", {"a", "b"});
    const auto& third = chunk("3", {"b", "c", "d"});
    const auto& fourth =
        chunk("4", {"a", "c"}, ledger::bytes_of({Outcome::sent, Outcome::pending}));
    look_all_up();
    EXPECT_EQ(first.composed, "a@x.org ");
    EXPECT_EQ(second.composed, "a@x.org b@x.org b2@x.org ");
    EXPECT_EQ(third.composed, "b@x.org b2@x.org ");
    EXPECT_EQ(fourth.composed, "");
    EXPECT_EQ(third.resolved.fates[1].reason, Reason::on_suppression_list);
    EXPECT_EQ(third.resolved.fates[2].reason, Reason::recipient_gone);
    EXPECT_EQ(fourth.resolved.fates[0].reason, Reason::none) << "it is final already";
    EXPECT_EQ(fourth.resolved.fates[1].reason, Reason::on_suppression_list);
}

TEST_F(ResolveTogetherTest, OneStatementAsksForAllWhoCameMeanwhile) {
    persons({{"a", "a@x.org"}});
    ledger.column("CREATE SEQUENCE asked");
    system.contacts[0]->query.sql =
        "WITH once AS MATERIALIZED (SELECT nextval('asked')) SELECT id AS recipient_id, address "
        "FROM person, once WHERE id = ANY($1)";
    constexpr auto chunks_at_once = static_cast<int>(DatabaseContacts::together_max);
    for (int i = 0; i < chunks_at_once + 8; ++i) chunk(std::to_string(i), {"a"});
    look_all_up();
    EXPECT_EQ(ledger.value("SELECT last_value FROM asked"), "2");
    for (const auto& one : chunks) EXPECT_EQ(one->composed, "a@x.org ");
}

TEST_F(ResolveTogetherTest, WhoRaisesAnErrorCostsNobodyOfAnotherChunk) {
    persons({{"a", "a@x.org"}, {"b", "b@x.org"}, {"bad", "0"}});
    system.contacts[0]->query.sql =
        "SELECT id AS recipient_id, CASE WHEN id = 'bad' THEN (1 / address::int)::text "
        "ELSE address END AS address FROM person WHERE id = ANY($1)";
    chunk("1", {"a"});
    const auto& second = chunk("2", {"a", "bad"});
    const auto& third = chunk("3", {"b"});
    look_all_up();
    EXPECT_EQ(second.composed, "a@x.org ");
    EXPECT_EQ(second.resolved.fates[1].reason, Reason::recipient_invalid);
    EXPECT_EQ(third.composed, "b@x.org ");
}

TEST_F(ResolveTogetherTest, WhoLeftTheListIsToldByNoChunk) {
    kind.list = "shows";
    persons({{"a", "a@x.org"}, {"b", "b@x.org"}, {"c", "B@x.org"}});
    ledger.column(
        "INSERT INTO opt_out (system, channel, list, recipient) VALUES ('shows', 0, 'shows', 'a') "
        "RETURNING recipient");
    chunk("1", {"b"});
    const auto& second = chunk("2", {"a"});
    const auto& third = chunk("3", {"a", "b"});
    look_all_up();
    EXPECT_EQ(second.composed, "");
    EXPECT_EQ(third.composed, "b@x.org ");
    EXPECT_EQ(second.resolved.fates[0].reason, Reason::consent_withdrawn);
}

TEST_F(ResolveTogetherTest, CapsAndOwnersOfAddressesAreAskedForEachChunkAlone) {
    persons({{"a", "a@x.org"}});
    kind.at_most = Cap{.count = 1, .window = std::chrono::hours{24}};
    const auto held = hold_a_chunk();
    for (int i = 0; i < 5; ++i) {
        static_cast<ledger::ChunkClaim&>(chunk(std::to_string(i), {"a"}).claim) = held;
    }
    look_all_up();
    const auto told = std::count_if(chunks.begin(), chunks.end(),
                                    [](const auto& one) { return !one->composed.empty(); });
    EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace fanfare
