// The addresses of those who left a list: found in their system, kept in the ledger.
#include "worker/sweep/opt_out_store.hpp"

#include "core/ledger/opt_outs.hpp"
#include "tests/integration/store_case.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OptOutStoreTest : public StoreCase {
protected:
    OptOutStoreTest() {
        ledger.column("CREATE TABLE person (id text, address text)");
        ledger.column(
            "INSERT INTO person VALUES ('a', 'a@x.org'), ('b', 'b@x.org'), ('b', 'b2@x.org'), "
            "('bad', '')");
        ledger.column(
            "CREATE FUNCTION cannot_say() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
            " RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege'; END $$");
        System shows;
        shows.name = "shows";
        shows.contacts[0].emplace().query.sql =
            "SELECT id AS recipient_id, address FROM person WHERE id = ANY($1) "
            "AND (id <> 'bad' OR cannot_say())";
        systems.emplace("shows", shows);
    }
    static ledger::LeftList left(const std::string& recipient) {
        return {"shows", Channel::email, "news", recipient};
    }
    std::vector<ledger::LeftWith> look_up(const std::vector<ledger::LeftList>& people) {
        auto contexts = this->contexts();
        DatabaseAddressBooks books{contexts};
        EXPECT_TRUE(books.knows("shows"));
        EXPECT_FALSE(books.knows("nobody's"));
        return ask(books.look_up("shows", people)).value();
    }

    LedgerOptOutStore store{pool};
};

TEST_F(OptOutStoreTest, WhoeverHasTheirAddressIsNotToldEither) {
    ledger::opt_out_by_hand(db(), {"shows", "b", {Channel::email}, {"news"}, {}});
    const auto taken = ask(store.take(10)).value();
    ASSERT_THAT(taken, SizeIs(1));
    const auto found = look_up(taken);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0].addresses, ElementsAre("b@x.org", "b2@x.org"));
    ASSERT_TRUE(ask(store.keep(found)));
    EXPECT_THAT(ask(store.take(10)).value(), IsEmpty());
    const std::vector<std::string_view> addresses{"b2@x.org", "a@x.org"};
    EXPECT_THAT(ledger::left_with(db(), "shows", Channel::email, "news", addresses),
                ElementsAre(true, false));
}

TEST_F(OptOutStoreTest, OneWhomTheSystemCannotFindHoldsUpNoOther) {
    const auto found = look_up({left("a"), left("bad"), left("b")});
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_EQ(found[0].left.recipient, "a");
    EXPECT_EQ(found[1].left.recipient, "b");
}

TEST_F(OptOutStoreTest, ASystemThatFindsNobodyIsLeftAloneForNow) {
    EXPECT_THAT(look_up({left("bad"), left("bad"), left("bad"), left("a")}), IsEmpty());
}

}  // namespace
}  // namespace fanfare
