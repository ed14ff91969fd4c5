// What all workers obey, and what each tells of itself.
#include "worker/send/fleet_store.hpp"

#include "core/ledger/pauses.hpp"
#include "tests/integration/store_case.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FleetStoreTest : public StoreCase {
protected:
    LedgerFleetStore store{pool};
};

TEST_F(FleetStoreTest, ReadsWhatOperatorsAndProvidersHaveSaid) {
    const auto before = ask(store.read()).value();
    EXPECT_THAT(before.rates, IsEmpty());
    EXPECT_THAT(before.blocked, IsEmpty());
    ledger::set_rate(db(), "mail", 12.5, "ops");
    ledger::block_account(db(), "mail", std::chrono::seconds{5});
    const auto now = ask(store.read()).value();
    EXPECT_EQ(now.rates.at("mail"), 12.5);
    ASSERT_THAT(now.blocked, SizeIs(1));
    EXPECT_EQ(now.blocked[0].account, "mail");
    EXPECT_GT(now.blocked[0].left.count(), 0);
}

TEST_F(FleetStoreTest, TellsHowAnAccountIs) {
    ledger::AccountHealth health;
    health.account = "mail";
    health.breaker = "open";
    health.last_error = "provider_unavailable";
    ASSERT_TRUE(ask(store.tell("worker 1", std::vector{health})));
    const auto states = ledger::account_states(db());
    ASSERT_THAT(states, SizeIs(1));
    EXPECT_EQ(states[0].breaker, "open");
    EXPECT_EQ(states[0].last_error, "provider_unavailable");
}

}  // namespace
}  // namespace fanfare
