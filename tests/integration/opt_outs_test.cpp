#include "core/ledger/opt_outs.hpp"

#include "tests/integration/ledger_case.hpp"

#include <pqxx/transaction>

#include <future>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OptOutsTest : public LedgerCase {};

TEST_F(OptOutsTest, NameThePersonOfTheReferenceAndTheListOfItsJob) {
    const auto one = job_named("show-1");
    ASSERT_TRUE(test::insert_job(db(), one, "news"));
    plan(one.id, {{"a", "b"}});
    EXPECT_TRUE(opt_out(db(), {one.id, Channel::email, 0, 1}));
    EXPECT_TRUE(opt_out(db(), {one.id, Channel::email, 0, 1})) << "asked again";
    const auto out = [&](std::string_view system, Channel channel, std::string_view list) {
        return opted_out(db(), system, channel, list, "{a,b,c}").people;
    };
    EXPECT_THAT(out("shows", Channel::email, "news"), ElementsAre("b"));
    EXPECT_THAT(out("shows", Channel::email, "tickets"), IsEmpty());
    EXPECT_THAT(out("shows", Channel::sms, "news"), IsEmpty());
    EXPECT_THAT(out("other", Channel::email, "news"), IsEmpty());
}

TEST_F(OptOutsTest, HoldForTheAddressToo) {
    const auto one = job_named("show-1");
    ASSERT_TRUE(test::insert_job(db(), one, "news"));
    plan(one.id, {{"a", "b"}});
    const auto left = opt_out(db(), {one.id, Channel::email, 0, 0});
    ASSERT_TRUE(left);
    EXPECT_EQ(left->system + "/" + left->list + "/" + left->recipient, "shows/news/a");
    const std::vector<std::string_view> asked{"bob@example.com", "Bob@Example.com",
                                              "ann@example.com"};
    const auto gone = [&](std::string_view system, Channel channel, std::string_view list) {
        return left_with(db(), system, channel, list, asked);
    };
    EXPECT_FALSE(opted_out(db(), "shows", Channel::email, "news", "{a}").with_addresses);
    keep_addresses(db(), std::vector<LeftWith>{{*left, {"Bob@example.com"}}});
    EXPECT_TRUE(opted_out(db(), "shows", Channel::email, "news", "{z}").with_addresses);
    EXPECT_THAT(gone("shows", Channel::email, "news"), ElementsAre(true, true, false));
    EXPECT_THAT(gone("shows", Channel::email, "tickets"), ElementsAre(false, false, false));
    EXPECT_THAT(gone("shows", Channel::sms, "news"), ElementsAre(false, false, false));
    EXPECT_THAT(gone("other", Channel::email, "news"), ElementsAre(false, false, false));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM opt_out_address WHERE "
                           "address IN ('bob@example.com'::bytea, sha256('bob@example.com'))"),
              "0")
        << "only hashes are kept, and of this ledger alone";
}

TEST_F(OptOutsTest, AreTakenBackWithTheirAddresses) {
    OptOutChange change{"shows", "a", {Channel::email, Channel::sms}, {"news", "shows"}};
    change.addresses[0] = {"Bob@example.com"};
    change.addresses[1] = {"+15550100001"};
    opt_out_by_hand(db(), change);
    const auto left = [&](Channel channel, const std::string& address) -> bool {
        return left_with(db(), "shows", channel, "news", std::vector<std::string_view>{address})[0];
    };
    EXPECT_TRUE(left(Channel::email, "bob@example.com"));
    EXPECT_TRUE(left(Channel::sms, "+15550100001"));
    EXPECT_THAT(take_unread_opt_outs(db(), 10), IsEmpty()) << "all are known";
    change.channels = {Channel::email};
    change.lists = {"news"};
    change.addresses = {};
    opt_in_by_hand(db(), change);
    EXPECT_FALSE(left(Channel::email, "bob@example.com")) << "they moved meanwhile";
    EXPECT_TRUE(left(Channel::sms, "+15550100001"));
    EXPECT_TRUE(left_with(db(), "shows", Channel::email, "shows",
                          std::vector<std::string_view>{"bob@example.com"})[0])
        << "another list";
    // The twin comes back: with the address, whoever left with it.
    OptOutChange twin{"shows", "b", {Channel::sms}, {"news"}};
    twin.addresses[1] = {"+15550100001"};
    opt_in_by_hand(db(), twin);
    EXPECT_FALSE(left(Channel::sms, "+15550100001"));
    EXPECT_THAT(opted_out(db(), "shows", Channel::sms, "news", "{a,b}").people, ElementsAre("a"))
        << "whoever left by themselves stays away";
}

TEST_F(OptOutsTest, AreTakenBackWhileSomebodyKeepsTheirAddress) {
    OptOutChange change{"shows", "a", {Channel::email}, {"news"}};
    opt_out_by_hand(db(), change);
    const auto other = ledger.connect();
    std::future<void> back;
    {
        // What keep_addresses() does, not committed yet.
        pqxx::work keeping{db().raw()};
        keeping.exec("UPDATE opt_out SET address_due_at = NULL");
        keeping.exec(
            "INSERT INTO opt_out_address (system, channel, list, address, recipient) "
            "VALUES ('shows', 0, 'news', 'a hash', 'a')");
        back = std::async(std::launch::async, [&] { opt_in_by_hand(*other, change); });
        const auto waits = [&] {
            keeping.exec("SELECT pg_stat_clear_snapshot()");
            return keeping
                       .exec(
                           "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                           "current_database() AND wait_event_type = 'Lock'")[0][0]
                       .as<int>() > 0;
        };
        while (!waits() &&
               back.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready) {
        }
        keeping.commit();
    }
    back.get();
    EXPECT_EQ(ledger.value("SELECT count(*) FROM opt_out"), "0");
    EXPECT_EQ(ledger.value("SELECT count(*) FROM opt_out_address"), "0") << "kept for ever";
}

TEST_F(OptOutsTest, AreLookedUpUntilTheirAddressesAreKnown) {
    ledger.column(
        "INSERT INTO opt_out (system, channel, list, recipient) VALUES "
        "('shows', 0, 'news', 'a'), ('shows', 0, 'news', 'b') RETURNING 1");
    const auto due = take_unread_opt_outs(db(), 10);
    ASSERT_EQ(due.size(), 2U) << "those of older programs, too";
    EXPECT_THAT(take_unread_opt_outs(db(), 10), IsEmpty()) << "somebody looks";
    keep_addresses(db(), std::vector<LeftWith>{{{"shows", Channel::email, "news", "a"}, {}}});
    ledger.advance(std::chrono::seconds{11});
    const auto again = take_unread_opt_outs(db(), 10);
    ASSERT_EQ(again.size(), 1U) << "whose lookup failed";
    EXPECT_EQ(again[0].recipient, "b");
    opt_in_by_hand(db(), {"shows", "b", {Channel::email}, {"news"}});
    keep_addresses(db(), std::vector<LeftWith>{{again[0], {"b@example.com"}}});
    EXPECT_EQ(ledger.value("SELECT count(*) FROM opt_out_address"), "0")
        << "who came back meanwhile stays";
}

TEST_F(OptOutsTest, WhoComesBackTakesBackWhatATwinIsYetToBring) {
    opt_out_by_hand(db(), {"shows", "a", {Channel::email, Channel::sms}, {"news", "offers"}});
    opt_out_by_hand(db(), {"other", "a", {Channel::email}, {"news"}});
    const auto taken = take_unread_opt_outs(db(), 10);
    ASSERT_EQ(taken.size(), 5U) << "a worker is looking for all of them";
    OptOutChange twin{"shows", "b", {Channel::email}, {"news"}};
    twin.addresses[0] = {"ana@example.com"};
    const auto unread = unread_opt_outs_beside(db(), twin, 10);
    ASSERT_EQ(unread.size(), 1U);
    EXPECT_EQ(unread[0].recipient + "/" + unread[0].list, "a/news");
    const std::vector<std::string> both{"Ana@Example.com", "ann@example.com"};
    opt_in_by_hand(db(), twin, std::vector<LeftWith>{{unread[0], both}});
    const std::vector<std::string_view> asked{both.begin(), both.end()};
    const auto left = [&] { return left_with(db(), "shows", Channel::email, "news", asked); };
    EXPECT_THAT(left(), ElementsAre(false, true)) << "the other address is none of theirs";
    std::vector<LeftWith> late;
    for (const auto& each : taken) late.push_back({each, both});
    keep_addresses(db(), late);
    EXPECT_THAT(left(), ElementsAre(false, true)) << "the worker's word comes too late";
    EXPECT_THAT(left_with(db(), "shows", Channel::email, "offers", asked), ElementsAre(true, true));
    EXPECT_THAT(opted_out(db(), "shows", Channel::email, "news", "{a,b}").people, ElementsAre("a"));
    EXPECT_THAT(unread_opt_outs_beside(db(), twin, 10), IsEmpty());
    // Whoever leaves afterwards takes the address along once more.
    opt_out_by_hand(db(), {"shows", "a", {Channel::email}, {"news"}});
    keep_addresses(db(), std::vector<LeftWith>{{unread[0], both}});
    EXPECT_THAT(left(), ElementsAre(true, true));
}

TEST_F(OptOutsTest, OfWhatTheLedgerDoesNotKnowAreRefused) {
    const auto one = job_named("show-1");
    ASSERT_TRUE(test::insert_job(db(), one, "news"));
    plan(one.id, {{"a"}});
    const auto no_list = accept("show-2");
    plan(no_list, {{"a"}});
    EXPECT_FALSE(opt_out(db(), {one.id, Channel::email, 0, 1})) << "no such place";
    EXPECT_FALSE(opt_out(db(), {one.id, Channel::email, 1, 0})) << "no such chunk";
    EXPECT_FALSE(opt_out(db(), {one.id, Channel::sms, 0, 0})) << "another channel";
    EXPECT_FALSE(opt_out(db(), {no_list, Channel::email, 0, 0})) << "nothing to leave";
}

}  // namespace
}  // namespace fanfare::ledger
