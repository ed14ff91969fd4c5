#include "core/ledger/progress.hpp"

#include "database_case.hpp"

namespace fanfare {
namespace {

const std::string job = "40f4d962-8ab1-58fe-93ec-4853d460092b";

class ProgressTest : public testing::LedgerCase {
protected:
    void SetUp() override {
        LedgerCase::SetUp();
        sql("INSERT INTO job (id, idempotency_key, system, kind, body, lane, state, planned, "
            "plan_chunks, planned_at) VALUES ('" +
            job +
            "', 'k', 'shows', 'show.reminder', '{}', "
            "1, 'sending', '{5,0,0}', '{2,0,0}', app_now())");
        sql("INSERT INTO chunk (job_id, channel, number, state, on_doubt, lane, size, recipients, "
            "outcomes, reasons, provider_ids, tally, attempts, account, publish_at) VALUES "
            "('" +
            job +
            "', 0, 0, 'done', 0, 1, 3, '{a,b,c}', '\\x010601', '\\x000a00', "
            "'{mail-1}', '{0,2,0,0,0,0,1,0,0,0,0,0,0,0}', '\\x010101', 'mg', app_now()), "
            "('" +
            job +
            "', 0, 1, 'planned', 0, 1, 2, '{d,Ä}', NULL, NULL, NULL, NULL, NULL, NULL, "
            "app_now())");
    }
    ledger::Audit audit() {
        return run([](postgres::Connection& connection) { return ledger::audit(connection, job); });
    }
    std::vector<ledger::ChannelFate> fate(const std::string& recipient) {
        return run([&](postgres::Connection& connection) {
            return ledger::find_fate(connection, job, recipient);
        });
    }
};

TEST_F(ProgressTest, SumsOverChunks) {
    const auto progress = run(
        [](postgres::Connection& connection) { return ledger::load_progress(connection, job); });
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->state, "sending");
    ASSERT_EQ(progress->channels.size(), 1U);
    const auto& email = progress->channels[0];
    EXPECT_EQ(email.planned, 5);
    EXPECT_EQ(email.chunks_done, 1);
    EXPECT_EQ(email.outcomes[0], 2);
    EXPECT_EQ(email.outcomes[1], 2);
    EXPECT_EQ(email.outcomes[6], 1);
}

TEST_F(ProgressTest, SaysWhenAllOthersWait) {
    const auto waits = [this] {
        return run([](postgres::Connection& connection) {
                   return ledger::load_progress(connection, job);
               })
            ->channels.at(0)
            .waits_s;
    };
    EXPECT_FALSE(waits()) << "a chunk may be claimed now";
    sql("UPDATE chunk SET next_at = app_now() + interval '9 hours' WHERE number = 1");
    ASSERT_TRUE(waits());
    EXPECT_GT(*waits(), 8 * 3600);
    sql("UPDATE chunk SET state = 'claimed', lease_until = app_now() WHERE number = 1");
    EXPECT_FALSE(waits()) << "somebody is being told";
    sql("UPDATE chunk SET state = 'done' WHERE number = 1");
    EXPECT_FALSE(waits()) << "nobody is left";
}

TEST_F(ProgressTest, KnowsTheFateOfEachPerson) {
    ASSERT_EQ(fate("a").size(), 1U);
    EXPECT_EQ(fate("a")[0].outcome, Outcome::sent);
    EXPECT_EQ(fate("a")[0].provider_id, "mail-1");
    EXPECT_EQ(fate("b").at(0).outcome, Outcome::suppressed);
    EXPECT_EQ(fate("b").at(0).reason, Reason::on_suppression_list);
    EXPECT_EQ(fate("b").at(0).provider_id, "");
    EXPECT_EQ(fate("Ä").at(0).outcome, Outcome::pending);
    EXPECT_TRUE(fate("bb").empty());
    EXPECT_TRUE(fate("a' OR true --").empty());
}

TEST_F(ProgressTest, ASoundLedgerHasNoDifferences) {
    const auto sound = audit();
    EXPECT_THAT(sound.differences, ::testing::IsEmpty());
    EXPECT_EQ(sound.recipients, 5);
}

TEST_F(ProgressTest, EveryKindOfDifferenceIsFound) {
    for (const auto* const damage :
         {"UPDATE job SET planned = '{6,0,0}'", "UPDATE job SET plan_chunks = '{3,0,0}'",
          "DELETE FROM chunk WHERE number = 1",
          "UPDATE chunk SET outcomes = '\\x010101' "
          "WHERE number = 0",
          "UPDATE chunk SET tally[2] = 1 WHERE number = 0",
          "UPDATE chunk SET recipients = '{c,d}' WHERE number = 1",
          "UPDATE chunk SET state = 'done' WHERE number = 1",
          "UPDATE chunk SET recipients = '{d}' WHERE number = 1",
          "UPDATE job SET state = 'done'"}) {
        sql("CREATE TABLE job_copy AS TABLE job; CREATE TABLE chunk_copy AS TABLE chunk");
        sql(damage);
        EXPECT_THAT(audit().differences, ::testing::Not(::testing::IsEmpty())) << damage;
        sql("DELETE FROM job; INSERT INTO job TABLE job_copy; INSERT INTO chunk TABLE chunk_copy; "
            "DROP TABLE job_copy, chunk_copy");
    }
}

TEST_F(ProgressTest, CancelStopsWhatIsNotOver) {
    const auto cancel = [](postgres::Connection& connection) {
        return ledger::cancel_job(connection, job);
    };
    EXPECT_TRUE(run(cancel));
    EXPECT_FALSE(run(cancel));
    EXPECT_EQ(ask("SELECT state FROM job"), "cancelled");
}

}  // namespace
}  // namespace fanfare
