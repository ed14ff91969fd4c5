// Addresses that a provider calls dead: what the ledger keeps, and what the system is told.
#include "worker/send/dead_addresses.hpp"

#include "ledger_case.hpp"
#include "tests/support/coroutines.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DeadAddressesTest : public ledger::LedgerCase {
protected:
    DeadAddressesTest() {
        ledger.column("CREATE TABLE person (address text, dead boolean DEFAULT false)");
        ledger.column("INSERT INTO person VALUES ('A@X.org'), ('b@x.org'), ('c,{\"}@x.org')");
        System shows;
        shows.name = "shows";
        shows.write_backs[0].emplace().sql =
            "UPDATE person SET dead = true WHERE address = ANY($1::text[])";
        systems.emplace("shows", shows);
    }

    void suppress(Pass& pass) {
        JobContexts contexts{
            systems, templates, {ledger.database().url(), 1, std::chrono::seconds{60}}, ""};
        postgres::Pool pool{ledger.database().url(), {}, 1};
        auto job = std::make_shared<JobContext>();
        job->system = &systems.at("shows");
        Claim claim;
        claim.key.channel = Channel::email;
        claim.job = job;
        DatabaseDeadAddresses addresses{pool, contexts};
        boost::asio::io_context loop;
        test::run(loop, addresses.suppress(claim, pass));
    }
    std::vector<std::string> suppressed() {
        return ledger.column(
            "SELECT address || ' ' || reason || ' ' || source FROM suppression "
            "ORDER BY address COLLATE \"C\"");
    }
    std::vector<std::string> dead() {
        return ledger.column("SELECT address FROM person WHERE dead ORDER BY 1");
    }

    Systems systems;
    Templates templates;
};

TEST_F(DeadAddressesTest, AreSuppressedAndTheSystemHearsThemAsItWroteThem) {
    Pass pass;
    pass.dead = {"a@x.org", "c,{\"}@x.org"};
    pass.dead_as_written = {"A@X.org", "c,{\"}@x.org"};
    suppress(pass);
    EXPECT_THAT(suppressed(), ElementsAre("a@x.org address_invalid provider",
                                          "c,{\"}@x.org address_invalid provider"));
    EXPECT_THAT(dead(), ElementsAre("A@X.org", "c,{\"}@x.org"));
}

TEST_F(DeadAddressesTest, WhoOptedOutIsNotDead) {
    Pass pass;
    pass.opted_out = {"b@x.org"};
    suppress(pass);
    EXPECT_THAT(suppressed(), ElementsAre("b@x.org unsubscribed provider"));
    EXPECT_THAT(dead(), IsEmpty());
}

TEST_F(DeadAddressesTest, ASystemThatCannotBeToldCostsNoSuppression) {
    systems.at("shows").write_backs[0]->sql = "UPDATE nothing SET dead = true WHERE a = ANY($1)";
    Pass pass;
    pass.dead = pass.dead_as_written = {"b@x.org"};
    suppress(pass);
    EXPECT_THAT(suppressed(), ElementsAre("b@x.org address_invalid provider"));
}

TEST_F(DeadAddressesTest, ALedgerThatIsAwayCostsTheSystemNothing) {
    ledger.column("ALTER TABLE suppression RENAME TO away");
    Pass pass;
    pass.dead = pass.dead_as_written = {"b@x.org"};
    suppress(pass);
    EXPECT_THAT(dead(), ElementsAre("b@x.org"));
    ledger.column("ALTER TABLE away RENAME TO suppression");
    EXPECT_THAT(suppressed(), IsEmpty()) << "whoever meets them next suppresses them";
}

TEST_F(DeadAddressesTest, ASystemThatAsksForNothingIsToldNothing) {
    systems.at("shows").write_backs[0].reset();
    Pass pass;
    pass.dead = pass.dead_as_written = {"b@x.org"};
    suppress(pass);
    EXPECT_THAT(suppressed(), ElementsAre("b@x.org address_invalid provider"));
}

TEST_F(DeadAddressesTest, APassWithoutAnyAsksNobody) {
    ledger.column("ALTER TABLE suppression RENAME TO away");
    Pass pass;
    suppress(pass);
    EXPECT_THAT(dead(), IsEmpty());
    ledger.column("ALTER TABLE away RENAME TO suppression");
}

}  // namespace
}  // namespace fanfare
