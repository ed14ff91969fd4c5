// What providers tell later: who leaves a list, whose address gets nothing more, and whose receipt
// is nonsense.
#include "worker/receipts/receipt_store.hpp"

#include "tests/integration/store_case.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum Outcome;

class ReceiptStoreTest : public StoreCase {
protected:
    ReceiptStoreTest() {
        plan(job, {{"a", "b", "c"}});
        const auto held = claim({key(job)});
        record(record_for(held.at(0), ledger::bytes_of({sent, sent, sent})));
    }

    ReceiptBatch batch(std::vector<Receipt> receipts) {
        return {.account = "mail",
                .channel = Channel::email,
                .job = job,
                .chunk = 0,
                .receipts = std::move(receipts)};
    }
    Receipt told_of(std::uint32_t position, ReceiptEvent event, const std::string& address = {}) {
        Receipt receipt;
        receipt.reference = {job, Channel::email, 0, position};
        receipt.event = event;
        receipt.address = address;
        return receipt;
    }
    Heard write(const std::vector<ReceiptBatch>& batches) {
        return ask(store.write(batches, 3)).value();
    }
    std::vector<std::string> suppressed() {
        return ledger.column("SELECT address || ' ' || reason FROM suppression ORDER BY 1");
    }

    LedgerReceiptStore store{pool};
    const std::string job = accept_of_list("news");

private:
    std::string accept_of_list(const std::string& list) {
        const auto made = job_named("job");
        EXPECT_TRUE(test::insert_job(db(), made, list));
        return made.id;
    }
};

TEST_F(ReceiptStoreTest, RaisesOutcomesAndSuppressesWhatIsDead) {
    const auto heard = write({batch({told_of(0, ReceiptEvent::delivered, "a@x.org"),
                                     told_of(1, ReceiptEvent::hard_bounced, "b@x.org"),
                                     told_of(2, ReceiptEvent::complained, "c@x.org")})});
    EXPECT_EQ(heard.tally.raised, 3U);
    EXPECT_EQ(outcomes_of(job), "delivered refused delivered");
    EXPECT_THAT(suppressed(), ElementsAre("b@x.org address_invalid", "c@x.org complained"));
}

TEST_F(ReceiptStoreTest, WhoUnsubscribesFromAMessageLeavesItsListAlone) {
    write({batch({told_of(1, ReceiptEvent::unsubscribed, "b@x.org")})});
    EXPECT_THAT(ledger.column("SELECT recipient || ' ' || list FROM opt_out"),
                ElementsAre("b news"));
    EXPECT_THAT(suppressed(), IsEmpty());
}

TEST_F(ReceiptStoreTest, WhoseMessageNobodyKnowsLeavesEverything) {
    Receipt receipt;
    receipt.event = ReceiptEvent::unsubscribed;
    receipt.address = "d@x.org";
    auto stray = batch({receipt});
    stray.job.clear();
    write({stray});
    EXPECT_THAT(suppressed(), ElementsAre("d@x.org unsubscribed"));
}

TEST_F(ReceiptStoreTest, OneThatTheLedgerRefusesHoldsUpNoOther) {
    auto nonsense = batch({told_of(1, ReceiptEvent::delivered)});
    nonsense.job = nonsense.receipts[0].reference.job = "no id of any job";
    const auto heard = write({nonsense, batch({told_of(0, ReceiptEvent::delivered)})});
    EXPECT_EQ(heard.refused, 1U);
    EXPECT_EQ(outcomes_of(job), "delivered sent sent");
}

TEST_F(ReceiptStoreTest, WhatCameEarlyIsAppliedOnce) {
    const auto early = accept("early");
    plan(early, {{"a"}});
    const auto held = claim({key(early)});
    auto receipts = batch({told_of(0, ReceiptEvent::delivered)});
    receipts.job = receipts.receipts[0].reference.job = early;
    EXPECT_EQ(write({receipts}).tally.early, 1U);
    EXPECT_EQ(ask(store.apply_early(10)).value().raised, 0U) << "still claimed";
    record(record_for(held.at(0), ledger::bytes_of({sent})));
    EXPECT_EQ(ask(store.apply_early(10)).value().raised, 1U);
    EXPECT_EQ(ask(store.apply_early(10)).value().raised, 0U) << "once";
}

}  // namespace
}  // namespace fanfare
