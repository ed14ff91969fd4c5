// Which job a key, or an id, stands for.
#include "tests/integration/ledger_case.hpp"

namespace fanfare::ledger {
namespace {

using How = TakenJob::How;

class JobIntakeTest : public LedgerCase {
protected:
    /// An order as its source sends it; its text is what it asks for.
    static NewJob order(const std::string& key, const std::string& text = "text",
                        const std::string& source = "a") {
        NewJob order;
        order.job = job_named(key);
        order.job.data = {{"title", text}};
        order.job.source = source;
        order.digest = digest_of_order(order.job);
        order.origin = "0/1";
        return order;
    }
    TakenJob take(const NewJob& order) { return take_job(db(), order); }
    std::string title(const std::string& id) {
        return ledger.value("SELECT body -> 'data' ->> 'title' FROM job WHERE id = '" + id + "'");
    }
    void fail(const std::string& id) {
        EXPECT_TRUE(fail_plan(db(), *claim_plan(db(), id, lease), {.why = "why", .final = true}));
    }
};

TEST_F(JobIntakeTest, TheSameOrderIsTheSameJobHoweverOftenItComes) {
    const auto first = take(order("k"));
    EXPECT_EQ(first.how, How::added);
    EXPECT_EQ(first.id, derived_id("k")) << "as it always was";
    for (int i = 0; i < 3; ++i) {
        const auto again = take(order("k"));
        EXPECT_EQ(again.how, How::repeated);
        EXPECT_EQ(again.id, first.id);
    }
    EXPECT_EQ(take(order("k", "text", "b")).id, first.id) << "whoever sends it again";
    EXPECT_EQ(ledger.value("SELECT count(*) FROM job"), "1");
}

TEST_F(JobIntakeTest, WithAnotherTraceItIsTheSameJobOfTheFirstTrace) {
    const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    auto first = order("k");
    first.trace = parent + " a=1";
    EXPECT_EQ(take(first).how, How::added);
    auto again = order("k");
    again.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    EXPECT_EQ(take(again).how, How::repeated);
    EXPECT_EQ(take(order("k")).how, How::repeated);
    const auto id = derived_id("k");
    EXPECT_EQ(load_job(db(), id)->trace, first.trace);
    EXPECT_EQ(ledger.value("SELECT body ? 'trace' FROM job"), "f") << "older programs read it";
    const auto task = claim_plan(db(), id, lease);
    EXPECT_EQ(task->trace, first.trace);
    EXPECT_TRUE(finish_plan(db(), *task));
    const std::vector<std::string> ids{id};
    finish_jobs(db(), ids);
    take(order("other"));
    EXPECT_EQ(load_job(db(), derived_id("other"))->trace, "");
}

TEST_F(JobIntakeTest, AnotherOrderUnderAUsedKeyIsRefused) {
    take(order("k"));
    EXPECT_EQ(take(order("k", "another")).how, How::key_reused);
    auto ttl = order("k");
    ttl.job.ttl = std::chrono::seconds{60};
    ttl.digest = digest_of_order(ttl.job);
    EXPECT_EQ(take(ttl).how, How::key_reused);
    EXPECT_EQ(title(derived_id("k")), "text");
}

TEST_F(JobIntakeTest, AnotherOrderUnderAUsedIdIsRefused) {
    take(order("k"));
    auto mine = order("other key", "another", "b");
    mine.job.id = derived_id("k");
    EXPECT_EQ(take(mine).how, How::key_reused) << "an id somebody chose is everybody's";
}

TEST_F(JobIntakeTest, KeysArePerSource) {
    const auto first = take(order("k", "of a", "a"));
    const auto second = take(order("k", "of b", "b"));
    EXPECT_EQ(second.how, How::added);
    EXPECT_NE(second.id, first.id);
    EXPECT_EQ(title(second.id), "of b");
    const auto again = take(order("k", "of b", "b"));
    EXPECT_EQ(again.how, How::repeated);
    EXPECT_EQ(again.id, second.id);
    EXPECT_EQ(take(order("k", "another of b", "b")).how, How::key_reused);
    EXPECT_EQ(take(order("k", "of a", "a")).id, first.id);
    ledger.column("DELETE FROM job WHERE id = '" + first.id + "' RETURNING 1");
    EXPECT_EQ(take(order("k", "of b", "b")).how, How::repeated) << "not a second time as the first";
}

TEST_F(JobIntakeTest, AJobWhoseOrderIsNotKnownIsRepeatedAsEver) {
    accept(order("k").job);
    EXPECT_EQ(take(order("k", "another")).how, How::repeated);
}

TEST_F(JobIntakeTest, TheSameOccurrenceIsTheSameJobWhateverItsRowSaysByNow) {
    take(order("k"));
    ledger.column(
        "INSERT INTO notification (system, kind, subject, occurrence, due_at, job_id) VALUES "
        "('shows', 'show.reminder', 's1', app_now(), app_now(), '" +
        derived_id("k") + "') RETURNING 1");
    EXPECT_EQ(take(order("k", "a new title")).how, How::repeated);
}

TEST_F(JobIntakeTest, AJobThatToldNobodyFreesItsKeyAlsoForAnotherOrder) {
    const auto id = take(order("k")).id;
    const auto zombie = *claim_plan(db(), id, lease);
    ledger.advance(lease + std::chrono::seconds{1});
    fail(id);
    EXPECT_EQ(take(order("k")).how, How::repeated) << "its own record, read again";
    auto mended = order("k", "mended");
    mended.origin = "0/2";
    const auto again = take(mended);
    EXPECT_EQ(again.how, How::added);
    EXPECT_EQ(again.id, id);
    EXPECT_EQ(title(id), "mended");
    plan(id, {{"u1"}});
    EXPECT_EQ(ledger.value("SELECT state || coalesce(failure, '') FROM job"), "sending");
    EXPECT_FALSE(keep_plan(db(), id, zombie.epoch, lease)) << "planners of before are fenced";
}

TEST_F(JobIntakeTest, AJobThatFailedWithChunksIsPlannedAnew) {
    const auto id = take(order("k")).id;
    plan(id, {{"u1"}}, DoubtPolicy::hold, false);
    ledger.advance(lease + std::chrono::seconds{1});
    fail(id);
    const auto chunks = claim({ChunkKey{id, Channel::email, 0}});
    ASSERT_EQ(chunks.size(), 1U);
    std::ignore = record(record_for(chunks[0], bytes_of({Outcome::failed})));
    ASSERT_EQ(finish_jobs(db(), {}).size(), 1U);
    auto mended = order("k", "mended");
    mended.origin = "0/2";
    ASSERT_EQ(take(mended).how, How::added);
    plan(id, {{"u1"}, {"u2"}});
    EXPECT_EQ(ledger.value("SELECT state || coalesce(failure, '') FROM job"), "sending");
}

TEST_F(JobIntakeTest, AJobThatMayHaveToldSomebodyKeepsItsKey) {
    for (const auto outcome : {Outcome::sent, Outcome::opened, Outcome::unknown}) {
        const std::string key{to_string(outcome)};
        const auto id = take(order(key)).id;
        plan(id, {{"u1"}}, DoubtPolicy::hold, false);
        ledger.advance(lease + std::chrono::seconds{1});
        fail(id);
        const auto chunks = claim({ChunkKey{id, Channel::email, 0}});
        ASSERT_EQ(chunks.size(), 1U);
        std::ignore = record(record_for(chunks[0], bytes_of({outcome})));
        ASSERT_EQ(finish_jobs(db(), {}).size(), 1U);
        auto mended = order(key, "mended");
        mended.origin = "0/2";
        EXPECT_EQ(take(mended).how, How::key_reused) << key;
    }
}

TEST_F(JobIntakeTest, AFreeKeyGoesToAJobOfAnotherIdAndTheFailedOneStays) {
    const auto old = take(order("k")).id;
    fail(old);
    auto mended = order("k", "mended");
    mended.job.id = derived_id("chosen");
    mended.origin = "0/2";
    EXPECT_EQ(take(mended).id, derived_id("chosen"));
    EXPECT_EQ(title(derived_id("chosen")), "mended");
    EXPECT_EQ(load_job(db(), old)->state, "failed");
}

TEST(KeyOfSourceTest, JoinsWithoutAmbiguity) {
    EXPECT_EQ(key_of_source("api", "a", "x/K"), "api/a/x/K") << "as it always was";
    EXPECT_NE(key_of_source("api", "a/x", "K"), key_of_source("api", "a", "x/K"));
    EXPECT_NE(key_of_source("api", "a/x", "y/K"), key_of_source("api", "a/x/y", "K"));
    EXPECT_NE(key_of_source("api", "", "a/K"), key_of_source("api", "a", "K"));
    EXPECT_NE(key_of_source("api", "a/3:b", "K"), key_of_source("api", "a", "3:b/K"));
    const std::string longest(128, 'k');
    EXPECT_LE(key_of_source("api", std::string(59, 'o') + "/", longest).size(), 200U);
    EXPECT_LE(key_of_source("of", std::string(100, 'o'), std::string(200, 'k')).size(), 200U);
}

}  // namespace
}  // namespace fanfare::ledger
