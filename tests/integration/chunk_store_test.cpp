// What the send stage writes: one chunk that PostgreSQL refuses costs no other.
#include "worker/send/chunk_store.hpp"

#include "core/clock/clock.hpp"
#include "core/ledger/progress.hpp"
#include "tests/integration/store_case.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using enum Outcome;

class ChunkStoreTest : public StoreCase {
protected:
    ChunkStoreTest() {
        plan(job, {{"a"}, {"b"}});
        const std::vector<ledger::ClaimRequest> requests{{key(job), "mail"}, {key(job, 1), "mail"}};
        held = ask(store.claim(requests, ledger::lease, 7)).value();
        if (held.size() == 2 && held[0].key != key(job)) std::swap(held[0], held[1]);
    }

    LedgerChunkStore store{pool, system_clock()};
    const std::string job = accept("job");
    std::vector<ledger::ClaimedChunk> held;
    const std::string for_too_many = ledger::bytes_of({sent, sent});
};

TEST_F(ChunkStoreTest, ClaimsByItsToken) {
    ASSERT_THAT(held, SizeIs(2));
    EXPECT_EQ(held[0].token, 7);
    EXPECT_EQ(held[0].recipients_literal, "{a}");
}

TEST_F(ChunkStoreTest, AMarkThatIsRefusedCostsNoOther) {
    const std::vector marks{mark_for(held[0], ledger::bytes_of({sent})),
                            mark_for(held[1], for_too_many)};
    const auto written = ask(store.mark(marks)).value();
    EXPECT_THAT(written.keys, ElementsAre(key(job)));
    EXPECT_THAT(written.refused, ElementsAre(key(job, 1)));
}

TEST_F(ChunkStoreTest, ARecordThatIsRefusedCostsNoOther) {
    const std::vector records{record_for(held[0], for_too_many),
                              record_for(held[1], ledger::bytes_of({sent}))};
    const auto written = ask(store.record(records)).value();
    EXPECT_THAT(written.keys, ElementsAre(key(job, 1)));
    EXPECT_THAT(written.refused, ElementsAre(key(job)));
    EXPECT_EQ(outcomes_of(job), "pending sent");
}

TEST_F(ChunkStoreTest, KnowsACancel) {
    EXPECT_FALSE(ask(store.is_cancelled(job)).value());
    EXPECT_TRUE(ledger::cancel_job(db(), job));
    EXPECT_TRUE(ask(store.is_cancelled(job)).value());
}

}  // namespace
}  // namespace fanfare
