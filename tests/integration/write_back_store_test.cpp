// Systems hear that their jobs are done.
#include "worker/sweep/write_back_store.hpp"

#include "tests/integration/store_case.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WriteBackStoreTest : public StoreCase {
protected:
    WriteBackStoreTest() {
        ledger.column("CREATE TABLE heard (job uuid, subject text, occurrence text, owner text)");
        System shows;
        shows.name = "shows";
        shows.kinds["show.reminder"].name = "show.reminder";
        auto& done = shows.done["show.reminder"];
        done.sql = "INSERT INTO heard VALUES ($1::text::uuid, $2, $3, $4)";
        done.parameters = {"job", "subject", "occurrence", "user_id"};
        systems.emplace("shows", shows);
    }
    Job reminder(const std::string& key) {
        auto job = job_named(key);
        job.params = {{"user_id", "ann"}};
        return job;
    }
    /// A job that is done, and whose system wants to know.
    std::string done(const std::string& key) {
        ledger::NewJob order;
        order.job = reminder(key);
        order.writes_back = true;
        EXPECT_EQ(ledger::take_job(db(), order).how, ledger::TakenJob::How::added);
        plan(order.job.id, {{"a"}});
        record(
            record_for(claim({this->key(order.job.id)}).at(0), ledger::bytes_of({Outcome::sent})));
        EXPECT_THAT(ledger::finish_jobs(db(), std::vector{order.job.id}), SizeIs(1));
        return order.job.id;
    }
    Result<void> tell(const Job& job, const std::string& occurrence = {}) {
        auto contexts = this->contexts();
        DatabaseDoneListeners listeners{contexts};
        EXPECT_TRUE(listeners.are_any());
        return ask(listeners.tell({job.id, encode_job(job), occurrence}));
    }
    std::vector<std::string> heard() {
        return ledger.column(
            "SELECT concat_ws('|', coalesce(subject, '-'), coalesce(occurrence, '-'), owner) "
            "FROM heard");
    }

    LedgerWriteBackStore store{pool};
};

TEST_F(WriteBackStoreTest, WhatIsDoneIsTakenUntilItsSystemHasHeard) {
    const auto job = done("job");
    const auto taken = ask(store.take(10, ledger::lease)).value();
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken[0].id, job);
    EXPECT_THAT(ask(store.take(10, ledger::lease)).value(), IsEmpty()) << "somebody has it";
    const std::vector jobs{job};
    ASSERT_TRUE(ask(store.note({}, jobs)));
    ledger.advance(std::chrono::seconds{2});
    EXPECT_THAT(ask(store.take(10, ledger::lease)).value(), SizeIs(1)) << "it was not heard";
    ASSERT_TRUE(ask(store.note(jobs, {})));
    ledger.advance(std::chrono::hours{2});
    EXPECT_THAT(ask(store.take(10, ledger::lease)).value(), IsEmpty());
}

TEST_F(WriteBackStoreTest, TellsWhatTheStatementAsksFor) {
    auto job = reminder("job");
    job.subject = "show 1";
    EXPECT_TRUE(tell(job, "2026-12-01T10:00:00.000000Z"));
    EXPECT_THAT(heard(), ElementsAre("show 1|2026-12-01T10:00:00.000000Z|ann"));
}

TEST_F(WriteBackStoreTest, WhatAJobHasNotIsNull) {
    EXPECT_TRUE(tell(reminder("job")));
    EXPECT_THAT(heard(), ElementsAre("-|-|ann"));
}

TEST_F(WriteBackStoreTest, NobodyWantsToKnowOfAKindThatIsConfiguredNoLonger) {
    auto job = reminder("job");
    job.kind = "show.cancelled";
    EXPECT_TRUE(tell(job));
    EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(WriteBackStoreTest, AStatementThatFailsIsAFailure) {
    ledger.column("DROP TABLE heard");
    EXPECT_FALSE(tell(reminder("job")));
}

}  // namespace
}  // namespace fanfare
