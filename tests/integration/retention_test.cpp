// What is older than the ledger keeps goes; what is open, or was ever refused, stays.
#include "core/ledger/retention.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/addresses.hpp"
#include "core/ledger/opt_outs.hpp"
#include "core/ledger/receipts.hpp"
#include "core/ledger/replays.hpp"
#include "tests/integration/ledger_case.hpp"

#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Outcome;

constexpr std::chrono::days kept{60};
constexpr std::chrono::days beyond{61};

class RetentionTest : public LedgerCase {
protected:
    /// Of the list "news", with everybody in one chunk.
    std::string planned(const std::string& name) {
        const auto job = job_named(name);
        EXPECT_TRUE(test::insert_job(db(), job, "news"));
        plan(job.id, {{name + "1", name + "2"}});
        return job.id;
    }
    void settle(const std::string& job, Outcome outcome = sent) {
        auto chunks = claim({key(job)});
        ASSERT_THAT(chunks, SizeIs(1));
        EXPECT_THAT(record(record_for(chunks[0], bytes_of({outcome, outcome}))), SizeIs(1));
        EXPECT_THAT(finish_jobs(db(), std::vector{job}), SizeIs(1));
    }
    std::string over(const std::string& name, Outcome outcome = sent) {
        const auto job = planned(name);
        settle(job, outcome);
        return job;
    }
    Dropped drop(std::int64_t chunks_max = 100) { return drop_old_jobs(db(), kept, chunks_max); }
    std::vector<std::string> jobs_with_chunks() {
        return ledger.column(
            "SELECT DISTINCT idempotency_key FROM job j JOIN chunk c "
            "ON c.job_id = j.id ORDER BY 1");
    }
    std::string rows(const std::string& table) {
        return ledger.value("SELECT count(*) FROM " + table);
    }
};

TEST_F(RetentionTest, GoesByDaysAndLeavesTheJobsRow) {
    const auto job = over("old");
    EXPECT_EQ(drop().jobs, 0);
    ledger.advance(kept);
    EXPECT_EQ(drop().jobs, 0) << "60 whole days are kept";
    over("new");
    ledger.advance(std::chrono::hours{24});
    ASSERT_THAT(old_days(db(), kept, 10), SizeIs(1));
    EXPECT_EQ(old_days(db(), kept, 10)[0].jobs, 1);
    EXPECT_EQ(old_days(db(), kept, 10)[0].people, 2);
    EXPECT_EQ(old_days(db(), kept, 10)[0].day, "2030-01-01");
    const auto dropped = drop();
    EXPECT_EQ(dropped.jobs, 1);
    EXPECT_EQ(dropped.chunks, 1);
    EXPECT_FALSE(dropped.more);
    EXPECT_THAT(jobs_with_chunks(), ElementsAre("new"));
    EXPECT_EQ(rows("chunk_filter"), "1");
    EXPECT_THAT(dropped_jobs(db(), {job, derived_id("new")}), ElementsAre(job));
    EXPECT_THAT(ledger.column("SELECT (body ? 'audience')::text || (body ? 'data')::text || "
                              "(body ->> 'source') FROM job WHERE dropped_at IS NOT NULL"),
                ElementsAre("falsefalsetest"));
    EXPECT_EQ(drop().jobs, 0) << "once";
    EXPECT_THAT(audit(db(), "").differences, IsEmpty());
    expect_everyone_counted();
}

TEST_F(RetentionTest, NothingOpenEverGoes) {
    over("over");
    planned("waiting");
    accept("unplanned");
    ASSERT_THAT(claim({key(planned("claimed"))}), SizeIs(1));
    const auto cancelled = planned("cancelled");
    ASSERT_TRUE(cancel_job(db(), cancelled));
    // Whatever its job's own word is.
    planned("liar");
    ledger.column(
        "WITH w AS (UPDATE job SET state = 'done', finished_at = app_now() "
        "WHERE idempotency_key = 'liar' RETURNING 1) SELECT count(*) FROM w");
    over("untold");  // Its system has not heard yet.
    ledger.column(
        "WITH w AS (UPDATE job SET write_back_at = app_now() "
        "WHERE idempotency_key = 'untold' RETURNING 1) SELECT count(*) FROM w");
    over("not done");  // Nobody will ever hear of it.
    ledger.column(
        "WITH w AS (UPDATE job SET write_back_at = app_now(), state = 'failed' "
        "WHERE idempotency_key = 'not done' RETURNING 1) SELECT count(*) FROM w");
    ledger.advance(beyond);
    const auto days = old_days(db(), kept, 10);
    ASSERT_THAT(days, SizeIs(1));
    EXPECT_EQ(days[0].jobs, 2);
    EXPECT_EQ(days[0].staying, 6);
    EXPECT_EQ(drop().jobs, 2);
    EXPECT_THAT(jobs_with_chunks(),
                ElementsAre("cancelled", "claimed", "liar", "untold", "waiting"));
    settle(derived_id("waiting"));
    EXPECT_EQ(drop().jobs, 0) << "what ends so late is kept from then on";
    ledger.advance(beyond);
    EXPECT_EQ(drop().jobs, 1);
}

TEST_F(RetentionTest, WhoseChunksSomebodyHasGoesLater) {
    const auto job = over("old");
    over("other");
    ledger.advance(beyond);
    const auto other = ledger.connect();
    {
        pqxx::work receipt{other->raw()};  // As apply_receipts() does.
        receipt.exec_params("SELECT FROM chunk WHERE job_id = $1::uuid FOR UPDATE", job);
        EXPECT_THROW(drop(), pqxx::sql_error) << "it does not wait";
    }
    {
        pqxx::work replay{other->raw()};
        replay.exec_params("SELECT FROM job WHERE id = $1::uuid FOR NO KEY UPDATE", job);
        EXPECT_EQ(drop().jobs, 1) << "the other one";
    }
    {
        pqxx::work replay{other->raw()};
        replay.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                           "replay/" + job);
        EXPECT_EQ(drop().jobs, 0);
    }
    EXPECT_EQ(drop().jobs, 1);
}

TEST_F(RetentionTest, AChainStaysUntilItsLastJobGoes) {
    const auto first = over("first", failed);
    ReplayOrder order{.key = "k", .who = "me", .because = "test", .filter = {}, .ttl = {}};
    order.filter.jobs = {first};
    order.filter.outcomes = {failed};
    const auto replay = begin_replay(db(), order);
    const auto second = replay_job(db(), replay.id, order, first);
    ASSERT_EQ(second.people, 2);
    ASSERT_TRUE(opt_out(db(), {first, Channel::email, 0, 0}));
    ledger.column(
        fmt::format("INSERT INTO address_owner VALUES ('{}', 0, 'a', 'first1') "
                    "RETURNING 1",
                    first));
    ledger.advance(beyond);
    EXPECT_EQ(drop().jobs, 0) << "its addresses are those of the job that is open";
    EXPECT_EQ(rows("address_owner"), "1");
    settle(second.job);
    ledger.advance(beyond);
    EXPECT_EQ(drop().jobs, 1) << "the later one";
    EXPECT_EQ(drop().jobs, 1);
    EXPECT_EQ(rows("address_owner"), "0");
    EXPECT_EQ(rows("opt_out"), "1") << "who unsubscribed is never dropped";
    // Asked for again, nobody is there.
    EXPECT_THAT(count_replay(db(), order.filter), IsEmpty());
    EXPECT_THAT(dropped_jobs(db(), {first}), ElementsAre(first));
}

TEST_F(RetentionTest, GoesInPortionsTheOldestFirst) {
    for (int i = 0; i < 5; ++i) over("a" + std::to_string(i));
    ledger.advance(std::chrono::days{1});
    over("b");
    ledger.advance(beyond);
    EXPECT_EQ(drop(2).jobs, 2);
    EXPECT_TRUE(drop(2).more);
    EXPECT_EQ(drop(2).jobs, 2) << "the last of its day, and the next day's";
    EXPECT_THAT(jobs_with_chunks(), IsEmpty());
}

TEST_F(RetentionTest, TheSameOrderIsNeverANewOne) {
    const auto job = over("old", failed);
    ledger.column("WITH w AS (UPDATE job SET state = 'failed' RETURNING 1) SELECT count(*) FROM w");
    ledger.advance(beyond);
    ASSERT_EQ(drop().jobs, 1);
    EXPECT_FALSE(test::insert_job(db(), job_named("old"), "news")) << "whom it told nobody knows";
    EXPECT_THAT(jobs_with_chunks(), IsEmpty());
    // Of one that never had a chunk it is known: nobody.
    const auto never = job_named("never");
    ASSERT_TRUE(test::insert_job(db(), never, "news"));
    const auto task = claim_plan(db(), never.id, lease);
    ASSERT_TRUE(fail_plan(db(), *task, {.why = "no", .final = true}));
    ledger.advance(beyond);
    ASSERT_EQ(drop().jobs, 1);
    const auto taken =
        take_job(db(), {.job = never, .list = "news", .digest = {}, .origin = "another record"});
    EXPECT_EQ(taken.how, TakenJob::How::added);
    EXPECT_THAT(dropped_jobs(db(), {never.id, job}), ElementsAre(job));
}

TEST_F(RetentionTest, AnOldLinkUnsubscribesTheAddress) {
    const auto job = over("old");
    const Reference reference{job, Channel::email, 0, 0};
    const auto bytes =
        AddressMarks{address_key(db())}.mark(compared_form(Channel::email, "Bob@Example.com"));
    const std::string mark{bytes.data(), bytes.size()};
    ledger.advance(beyond);
    ASSERT_EQ(drop().jobs, 1);
    EXPECT_FALSE(opt_out(db(), reference)) << "nobody knows whose it was";
    const auto left = opt_out(db(), reference, mark);
    ASSERT_TRUE(left);
    EXPECT_EQ(left->list, "news");
    EXPECT_EQ(left->recipient, "");
    EXPECT_TRUE(opt_out(db(), reference, mark)) << "asked again";
    EXPECT_TRUE(
        fanfare::ledger::opted_out(db(), "shows", Channel::email, "news", "{z}").with_addresses);
    const std::vector<std::string_view> asked{"bob@example.com", "ann@example.com"};
    EXPECT_THAT(left_with(db(), "shows", Channel::email, "news", asked), ElementsAre(true, false));
    EXPECT_THAT(left_with(db(), "shows", Channel::email, "other", asked),
                ElementsAre(false, false));
    // Who comes back comes back with it.
    OptOutChange change{"shows", "b", {Channel::email}, {"news"}};
    change.addresses[0] = {"bob@EXAMPLE.com"};
    opt_in_by_hand(db(), change);
    EXPECT_THAT(left_with(db(), "shows", Channel::email, "news", asked), ElementsAre(false, false));
}

TEST_F(RetentionTest, AMarkCountsOnlyWhereTheChunkIsGone) {
    const auto job = over("new");
    const auto left = opt_out(db(), {job, Channel::email, 0, 0}, "12345678");
    ASSERT_TRUE(left);
    EXPECT_EQ(left->recipient, "new1");
    EXPECT_FALSE(opt_out(db(), {job, Channel::email, 9, 0}, "12345678")) << "no such chunk";
    EXPECT_FALSE(opt_out(db(), {derived_id("?"), Channel::email, 0, 0}, "12345678"));
    EXPECT_EQ(rows("opt_out_address"), "0");
}

TEST_F(RetentionTest, ReceiptsOfDroppedChunksAreHarmless) {
    const auto job = over("old");
    ReceiptBatch batch;
    batch.job = job;
    batch.channel = Channel::email;
    Receipt receipt;
    receipt.reference = {job, Channel::email, 0, 1};
    receipt.event = ReceiptEvent::delivered;
    batch.receipts = {receipt};
    ledger.column(
        fmt::format("INSERT INTO early_receipt (job_id, channel, number, position, event) "
                    "VALUES ('{}', 0, 0, 0, 0) RETURNING 1",
                    job));
    ledger.advance(beyond);
    ASSERT_EQ(drop().jobs, 1);
    EXPECT_EQ(rows("early_receipt"), "0");
    EXPECT_EQ(apply_receipts(db(), {&batch, 1}).unmatched, 1U);
    EXPECT_EQ(rows("chunk") + rows("early_receipt"), "00");
}

TEST_F(RetentionTest, KeysOfOrdersAndSoftBouncesGoWithThem) {
    const auto order = [this](const std::string& key, const std::string& job, bool taken) {
        ledger.column(fmt::format(
            "INSERT INTO api_request (owner, key, digest, job_id, body, taken_at, created_at) "
            "VALUES ('me', '{}', '', '{}', '{{}}', {}, app_now()) RETURNING 1",
            key, job, taken ? "app_now()" : "NULL"));
    };
    order("of a dropped job", over("old"), true);
    order("of an open job", planned("open"), true);
    order("not taken yet", derived_id("untaken"), false);
    order("refused", derived_id("refused"), true);
    ledger.column("INSERT INTO soft_bounce VALUES (0, 'a@example.com', 2, app_now()) RETURNING 1");
    ledger.column(
        "INSERT INTO suppression (channel, address, reason, source) "
        "VALUES (0, 'b@example.com', 'x', 'y') RETURNING 1");
    const auto place = [this](const std::string& recipient) {
        ledger.column(fmt::format(
            "INSERT INTO counted_send (system, kind, recipient, job_id, channels) VALUES "
            "('shows', 'show.reminder', '{}', gen_random_uuid(), 1) RETURNING 1",
            recipient));
    };
    place("a");
    ledger.advance(beyond);
    place("b");
    ledger.column("INSERT INTO soft_bounce VALUES (0, 'c@example.com', 2, app_now()) RETURNING 1");
    order("new", derived_id("new"), true);
    EXPECT_EQ(drop_leftovers(db(), kept, 10), 2U) << "the refused one's, and a bounce";
    ASSERT_EQ(drop().jobs, 1);
    EXPECT_EQ(drop_leftovers(db(), kept, 10), 1U);
    EXPECT_EQ(drop_leftovers(db(), kept, 10), 0U);
    EXPECT_THAT(ledger.column("SELECT key FROM api_request ORDER BY 1"),
                ElementsAre("new", "not taken yet", "of an open job"));
    EXPECT_EQ(rows("soft_bounce"), "1");
    EXPECT_EQ(rows("suppression"), "1");
    EXPECT_EQ(rows("counted_send"), "2") << "a window may be a year";
    ledger.advance(Cap::window_max - beyond + std::chrono::hours{1});
    EXPECT_EQ(drop_leftovers(db(), kept, 10), 3U) << "the new one's key and bounce too";
    EXPECT_THAT(ledger.column("SELECT recipient FROM counted_send"), ElementsAre("b"));
}

}  // namespace
}  // namespace fanfare::ledger
