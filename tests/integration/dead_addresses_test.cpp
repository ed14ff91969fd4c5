// Addresses that a provider calls dead: what the system is told.
#include "worker/send/dead_addresses.hpp"

#include "tests/integration/store_case.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DeadAddressesTest : public StoreCase {
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

    void tell(std::vector<std::string> addresses) {
        auto contexts = this->contexts();
        auto job = std::make_shared<JobContext>();
        job->system = &systems.at("shows");
        Claim claim;
        claim.key.channel = Channel::email;
        claim.job = job;
        DatabaseDeadAddresses dead{contexts};
        test::run(loop, dead.tell(claim, std::move(addresses)));
    }
    std::vector<std::string> dead() {
        return ledger.column("SELECT address FROM person WHERE dead ORDER BY 1");
    }
};

TEST_F(DeadAddressesTest, AreToldToTheSystemAsItWroteThem) {
    tell({"A@X.org", "c,{\"}@x.org"});
    EXPECT_THAT(dead(), ElementsAre("A@X.org", "c,{\"}@x.org"));
}

TEST_F(DeadAddressesTest, ASystemThatCannotBeToldHoldsUpNobody) {
    systems.at("shows").write_backs[0]->sql = "UPDATE nothing SET dead = true WHERE a = ANY($1)";
    tell({"b@x.org"});
    EXPECT_THAT(dead(), IsEmpty());
}

TEST_F(DeadAddressesTest, ASystemThatAsksForNothingIsToldNothing) {
    systems.at("shows").write_backs[0].reset();
    tell({"b@x.org"});
    EXPECT_THAT(dead(), IsEmpty());
}

TEST_F(DeadAddressesTest, WhereThereAreNoneNobodyIsAsked) {
    systems.at("shows").write_backs[0]->sql = "UPDATE person SET dead = true";
    tell({});
    EXPECT_THAT(dead(), IsEmpty());
}

}  // namespace
}  // namespace fanfare
