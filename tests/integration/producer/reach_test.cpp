// One model of who is reached: whoever sends, estimates or lists gives the same answer.
#include "core/audience/reach.hpp"

#include "core/estimate/audience_estimate.hpp"
#include "core/ledger/addresses.hpp"
#include "core/ledger/opt_outs.hpp"
#include "database_case.hpp"
#include "producer/api/directory.hpp"
#include "worker/send/resolve.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class ReachTest : public testing::LedgerCase {
protected:
    void SetUp() override {
        LedgerCase::SetUp();
        system = &systems.at("shows");
        kind = &system->kinds.at("show.reminder");
        job.id = derived_id("reach");
        job.system = "shows";
        job.kind = "show.reminder";
        job.audience = "followers";
        job.params = {{"user_id", "creator"}};
        job.channels = {Channel::email, Channel::sms};
        sql("DELETE FROM users");
        templates =
            std::get<Templates>(Templates::load(std::string{FANFARE_SOURCE_DIR} + "/templates"));
        sql(
            fmt::format("INSERT INTO job (id, idempotency_key, system, kind, body, lane) "
                        "VALUES ('{}', 'reach', 'shows', 'show.reminder', '{{}}', 0)",
                        job.id));
    }

    void load_case(const std::string& name) {
        std::ifstream stream{std::string{FANFARE_SOURCE_DIR} + "/tests/fixtures/cases/" + name};
        std::stringstream text;
        text << stream.rdbuf();
        sql(text.str());
    }
    void follow(const std::string& id, const std::string& email, const std::string& phone) {
        const auto quoted = [](const std::string& text) {
            return text.empty() ? "NULL" : "E'" + text + "'";
        };
        sql(
            fmt::format("INSERT INTO users (id, username, email, phone) VALUES ('{0}', 'x', {1}, "
                        "{2}); INSERT INTO followers (follower_id, followed_id) VALUES ('{0}', "
                        "'creator')",
                        id, quoted(email), quoted(phone)));
    }
    void creator() { sql("INSERT INTO users (id, username) VALUES ('creator', 'Mira')"); }
    void unsubscribe(const std::string& recipient) {
        run([&](postgres::Connection& db) {
            ledger::opt_out_by_hand(db, {"shows", recipient, {Channel::email}, {"shows"}});
            return true;
        });
    }
    void suppress(Channel channel, const std::string& address) {
        run([&](postgres::Connection& db) {
            ledger::add_suppressions(db, channel,
                                     std::vector<ledger::NewSuppression>{{address, "x"}}, "cli");
            return true;
        });
    }
    std::vector<std::string> followers() {
        return run([](postgres::Connection& db) {
            pqxx::nontransaction work{db.raw()};
            std::vector<std::string> ids;
            for (const auto& row : work.exec(
                     "SELECT follower_id FROM followers ORDER BY follower_id COLLATE \"C\"")) {
                ids.emplace_back(row[0].c_str());
            }
            return ids;
        });
    }

    /// What the sender makes of them: where each is sent to, or the reason why not.
    std::map<std::string, std::string> sent(Channel channel) {
        const auto ids = followers();
        ledger::ChunkPeople chunk;
        chunk.recipients_literal = postgres::to_array_literal(ids);
        postgres::parse_array(chunk.recipients_literal, chunk.recipients);
        chunk.outcomes.assign(ids.size(), '\0');
        auto context = std::make_shared<JobContext>();
        context->job = job;
        context->origin = job.id;
        context->system = system;
        context->kind = kind;
        Claim claim;
        claim.key = {job.id, channel, 0};
        claim.job = context;
        Resolved resolved;
        run([&](postgres::Connection& db) {
            std::ignore = load_contacts(db, claim, chunk, resolved);
            apply_suppressions(db, claim, chunk, resolved);
            return true;
        });
        std::map<std::string, std::string> people;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            people[ids[i]] = to_string(resolved.fates[i].reason);
        }
        for (const auto& target : resolved.targets) people[ids[target.recipient]] = target.address;
        return people;
    }

    AudienceEstimate estimate() {
        return run([&](postgres::Connection& db) {
            postgres::Connection source{url, {}};
            postgres::Connection lookup{url, {}};
            const AudienceEstimator::Parts parts{source, lookup, db, templates, TimePoint{}};
            return AudienceEstimator{parts, *system, *kind, job}.run();
        });
    }
    ChannelEstimate estimate_of(Channel channel) {
        return estimate().channels[static_cast<std::size_t>(channel)];
    }

    std::map<std::string, std::string> standings(Channel channel) {
        return run([&](postgres::Connection& db) {
            postgres::Connection source{url, {}};
            api::Directory directory{{.system = *system,
                                      .audience = system->audiences.at("followers"),
                                      .params = job.params,
                                      .list = kind->list,
                                      .kind = kind,
                                      .channel = channel,
                                      .standing = {},
                                      .search = ""}};
            std::string after;
            std::vector<api::Person> people;
            std::ignore = directory.read(source, db, after, 1'000, people);
            std::map<std::string, std::string> found;
            for (const auto& person : people) {
                for (const auto& contact : person.contacts) {
                    found[person.recipient] = to_string(contact.standing);
                }
            }
            return found;
        });
    }

    System* system = nullptr;
    Kind* kind = nullptr;
    Job job;
    Templates templates;
};

TEST_F(ReachTest, WhoeverCanBeReachedIs) {
    load_case("people_odd_addresses.sql");
    follow("e05", "\\u00a0Ana5@Example.com", "tel:+49-151-23456795");
    EXPECT_THAT(sent(Channel::email),
                UnorderedElementsAre(
                    Pair("e01", "ana@xn--mller-beispiel-gsb.de"), Pair("e03", "ana3@example.com"),
                    Pair("e04", "ana4@example.com"), Pair("e05", "Ana5@Example.com"),
                    Pair("p02", "address_missing"), Pair("p03", "address_missing")));
    EXPECT_THAT(sent(Channel::sms),
                UnorderedElementsAre(Pair("e01", "address_missing"), Pair("e03", "address_missing"),
                                     Pair("e04", "address_missing"), Pair("e05", "+4915123456795"),
                                     Pair("p02", "+4915123456790"), Pair("p03", "+4915123456791")));
    EXPECT_EQ(estimate_of(Channel::email).messages, 4);
    EXPECT_EQ(estimate_of(Channel::sms).messages, 3);
}

TEST_F(ReachTest, OneAnswerForWhoeverAsks) {
    creator();
    follow("a", "Wanda1@Example.com", "+1 (555) 010-0001");
    follow("b", "bob@example.com", "not a number");
    follow("c", "bob@@example.com", "");
    follow("d", " \\u200b ", "+1 555 010 0004");
    follow("e", "eve@example.com", "+1 555 010 0005");
    follow("f", "BOB@example.com", "+1 555 010 0006");
    suppress(Channel::email, "wanda1@example.com");
    suppress(Channel::sms, "+15550100001");
    unsubscribe("e");
    kind->dedupe = Dedupe::address;
    using People = std::map<std::string, std::string>;
    struct Answers {
        Channel channel;
        People sent;
        People standings;
    };
    const std::vector<Answers> expected{{Channel::email,
                                         {{"a", "on_suppression_list"},
                                          {"b", "bob@example.com"},
                                          {"c", "address_invalid"},
                                          {"d", "address_missing"},
                                          {"e", "consent_withdrawn"},
                                          {"f", "duplicate_address"}},
                                         {{"a", "suppressed"},
                                          {"b", "reachable"},
                                          {"c", "invalid_address"},
                                          {"d", "no_address"},
                                          {"e", "unsubscribed"},
                                          {"f", "reachable"}}},
                                        {Channel::sms,
                                         {{"a", "on_suppression_list"},
                                          {"b", "address_invalid"},
                                          {"c", "address_missing"},
                                          {"d", "+15550100004"},
                                          {"e", "+15550100005"},
                                          {"f", "+15550100006"}},
                                         {{"a", "suppressed"},
                                          {"b", "invalid_address"},
                                          {"c", "no_address"},
                                          {"d", "reachable"},
                                          {"e", "reachable"},
                                          {"f", "reachable"}}}};
    for (const auto& each : expected) {
        EXPECT_EQ(sent(each.channel), each.sent);
        EXPECT_EQ(standings(each.channel), each.standings);
    }
    const auto mail = estimate_of(Channel::email);
    EXPECT_EQ(mail.messages, 1);
    EXPECT_EQ(mail.suppressed, 1);
    EXPECT_EQ(mail.invalid_address, 1);
    EXPECT_EQ(mail.no_address, 1);
    EXPECT_EQ(mail.opted_out, 1);
    EXPECT_EQ(mail.duplicates, 1);
    const auto texts = estimate_of(Channel::sms);
    EXPECT_EQ(texts.messages, 3);
    EXPECT_EQ(texts.suppressed + texts.invalid_address + texts.no_address, 3);
}

TEST_F(ReachTest, OnePersonsDataCostsNobodyElseTheAnswer) {
    creator();
    follow("a", "ana@example.com", "");
    follow("b", "bob@example.com", "");
    follow("c", "cid@example.com", "");
    system->contacts[0]->query.sql =
        "SELECT id AS recipient_id, email AS address, username FROM users "
        "WHERE id = ANY($1::text[]) AND 1 / (ascii(id) - ascii('b')) IS NOT NULL";
    EXPECT_THAT(sent(Channel::email),
                UnorderedElementsAre(Pair("a", "ana@example.com"), Pair("b", "recipient_invalid"),
                                     Pair("c", "cid@example.com")));
    EXPECT_THAT(standings(Channel::email),
                UnorderedElementsAre(Pair("a", "reachable"), Pair("c", "reachable")));
    job.channels = {Channel::email};
    const auto found = estimate();
    EXPECT_EQ(found.people, 3);
    EXPECT_EQ(found.channels[0].messages, 2);
    EXPECT_EQ(found.channels[0].no_address, 1) << "left out";
    sql("DELETE FROM followers WHERE follower_id <> 'b'");
    EXPECT_EQ(estimate().channels[0].messages, 0);
    EXPECT_THAT(standings(Channel::email), IsEmpty());
}

TEST_F(ReachTest, WhoWasToldOftenEnoughIsNotToldOnceMore) {
    creator();
    follow("a", "ann@example.com", "");
    follow("b", "bob@example.com", "");
    kind->at_most = Cap{1, std::chrono::hours{24}};
    sql("INSERT INTO counted_send (system, kind, recipient, job_id, channels) VALUES "
        "('shows', 'show.reminder', 'a', gen_random_uuid(), 1)");
    EXPECT_THAT(standings(Channel::email),
                UnorderedElementsAre(Pair("a", "too_often"), Pair("b", "reachable")));
    EXPECT_EQ(estimate_of(Channel::email).too_often, 1);
    kind->at_most = Cap{2, std::chrono::hours{24}};
    EXPECT_THAT(standings(Channel::email),
                UnorderedElementsAre(Pair("a", "reachable"), Pair("b", "reachable")));
    EXPECT_EQ(estimate_of(Channel::email).messages, 2);
}

TEST_F(ReachTest, WhoUnsubscribedTookTheAddressAlong) {
    creator();
    follow("a", "ana@example.com", "+1 555 010 0001");
    follow("b", " Ana@Example.com ", "+1 (555) 010-0001");
    follow("c", "bob@example.com", "+1 555 010 0003");
    unsubscribe("a");
    run([&](postgres::Connection& db) {
        const ledger::LeftList left{"shows", Channel::email, "shows", "a"};
        ledger::keep_addresses(db, std::vector<ledger::LeftWith>{
                                       {left, addresses_now(db, *system, Channel::email, "a")}});
        EXPECT_THAT(addresses_now(db, *system, Channel::email, "nobody"), IsEmpty());
        return true;
    });
    EXPECT_THAT(sent(Channel::email),
                UnorderedElementsAre(Pair("a", "consent_withdrawn"), Pair("b", "consent_withdrawn"),
                                     Pair("c", "bob@example.com")));
    EXPECT_THAT(standings(Channel::email),
                UnorderedElementsAre(Pair("a", "unsubscribed"), Pair("b", "unsubscribed"),
                                     Pair("c", "reachable")));
    EXPECT_EQ(estimate_of(Channel::email).opted_out, 2);
    EXPECT_EQ(estimate_of(Channel::sms).messages, 3) << "another channel";
    kind->list = "offers";
    EXPECT_EQ(estimate_of(Channel::email).messages, 3) << "another list";
}

TEST_F(ReachTest, ThePeopleOfAFallbackAreEstimatedWhereTheyAreTold) {
    creator();
    follow("a", "ann@example.com", "+1 555 010 0001");
    follow("b", "no address", "+1 555 010 0002");
    follow("c", "", "+1 555 010 0003");
    follow("d", "dan@example.com", "+1 555 010 0004");
    unsubscribe("d");
    job.channels = {Channel::email};
    kind->fallback[0] = Channel::sms;
    EXPECT_EQ(estimate_of(Channel::email).messages, 1);
    EXPECT_EQ(estimate_of(Channel::sms).messages, 2) << "who said no is not turned to elsewhere";
    job.channels = {Channel::email, Channel::sms};
    EXPECT_EQ(estimate_of(Channel::sms).messages, 4) << "each once, where the job has both";
}

TEST_F(ReachTest, OfSeveralAddressesTheOneThatIsReachedCounts) {
    sql("INSERT INTO users (id, username) VALUES ('creator', 'Mira'), ('a', 'a'), ('b', 'b')");
    sql("INSERT INTO followers (follower_id, followed_id) VALUES ('a', 'creator'), "
        "('b', 'creator')");
    sql("INSERT INTO push_tokens (user_id, token) VALUES ('a', 'no token'), ('a', 'dead'), "
        "('a', 'good'), ('b', 'no token'), ('b', 'dead')");
    suppress(Channel::push, "dead");
    job.channels = {Channel::push};
    EXPECT_THAT(sent(Channel::push),
                UnorderedElementsAre(Pair("a", "good"), Pair("b", "on_suppression_list")));
    EXPECT_EQ(estimate_of(Channel::push).messages, 1);
    EXPECT_EQ(estimate_of(Channel::push).suppressed, 1);
}

}  // namespace
}  // namespace fanfare
