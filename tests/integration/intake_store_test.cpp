// Orders that come together are taken together, and each for itself where one cannot be stored.
#include "worker/intake/intake_store.hpp"

#include "tests/integration/store_case.hpp"

#include <vector>

namespace fanfare {
namespace {

using How = ledger::TakenJob::How;

class IntakeStoreTest : public StoreCase {
protected:
    static ledger::NewJob order(const std::string& key, const std::string& title = "text") {
        ledger::NewJob order;
        order.job = job_named(key);
        order.job.data = {{"title", title}};
        order.digest = digest_of_order(order.job);
        order.origin = "0/1";
        return order;
    }
    std::vector<Result<ledger::TakenJob>> take(const std::vector<ledger::NewJob>& orders) {
        std::vector<boost::asio::awaitable<Result<ledger::TakenJob>>> tasks;
        for (const auto& order : orders) tasks.push_back(store.take(order));
        return ask_together(std::move(tasks));
    }

    LedgerIntakeStore store{pool};
};

TEST_F(IntakeStoreTest, OneThatCannotBeStoredCostsNoOther) {
    const auto taken =
        take({order("a"), order("b"), order("no text", std::string("a\0b", 3)), order("c")});
    EXPECT_EQ(taken.at(0).value().how, How::added);
    EXPECT_EQ(taken.at(1).value().how, How::added);
    EXPECT_FALSE(taken.at(2));
    EXPECT_EQ(taken.at(3).value().how, How::added);
    EXPECT_EQ(ledger.value("SELECT count(*) FROM job"), "3");
}

TEST_F(IntakeStoreTest, ARepeatedOneIsKnown) {
    EXPECT_FALSE(ask(store.is_taken(order("a"))).value());
    const auto first = take({order("a"), order("a")});
    EXPECT_EQ(first.at(0).value().id, first.at(1).value().id);
    EXPECT_TRUE(ask(store.is_taken(order("a"))).value());
    EXPECT_EQ(ledger.value("SELECT count(*) FROM job"), "1");
}

TEST_F(IntakeStoreTest, ARefusalIsNoted) {
    const auto id = derived_id("nobody's");
    ASSERT_TRUE(ask(store.refuse(id, {.code = "unknown_kind", .message = "no such kind"})));
    EXPECT_EQ(ledger.value("SELECT code FROM absent_job WHERE job_id = '" + id + "'"),
              "unknown_kind");
}

}  // namespace
}  // namespace fanfare
