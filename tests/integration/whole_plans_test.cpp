// Small jobs that are claimed, and written, together.
#include "tests/integration/ledger_case.hpp"

#include <pqxx/transaction>

#include <algorithm>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class WholePlansTest : public LedgerCase {
protected:
    WholePlansTest() {
        for (const auto* const name : {"a", "b", "c"}) jobs.push_back(accept(name));
        std::sort(jobs.begin(), jobs.end());
    }
    std::vector<PlanTask> claim_all() {
        auto tasks = claim_plans(db(), jobs, lease);
        std::sort(tasks.begin(), tasks.end(),
                  [](const auto& a, const auto& b) { return a.job < b.job; });
        return tasks;
    }
    static WholePlan whole(PlanTask task, const std::vector<std::string>& people) {
        WholePlan plan{std::move(task), Lane::normal, {}};
        if (people.empty()) return plan;
        const auto size = static_cast<std::int32_t>(people.size());
        plan.chunks.push_back({Channel::email, 0, size, literal_of(people), DoubtPolicy::hold});
        plan.task.chunks[0] = 1;
        plan.task.planned[0] = size;
        plan.task.cursor = people.back();
        return plan;
    }
    std::vector<std::string> write(const std::vector<WholePlan>& plans) {
        return write_whole_plans(db(), plans, republish_after);
    }
    std::string of(const std::string& job, const std::string& what) {
        return ledger.value("SELECT " + what + " FROM job WHERE id = '" + job + "'");
    }

    std::vector<std::string> jobs;
};

TEST_F(WholePlansTest, AreClaimedByOneAtATime) {
    const auto mine = claim_all();
    ASSERT_EQ(mine.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(mine[i].job, jobs[i]);
        EXPECT_EQ(mine[i].unheard, 1);
        EXPECT_NE(mine[i].body.find("show.reminder"), std::string::npos);
    }
    EXPECT_THAT(claim_plans(*ledger.connect(), jobs, lease), IsEmpty());
    ledger.advance(lease + std::chrono::seconds{1});
    const auto theirs = claim_plans(*ledger.connect(), jobs, lease);
    ASSERT_EQ(theirs.size(), 3U) << "the first planner died";
    EXPECT_EQ(theirs[0].unheard, 2);
    EXPECT_EQ(theirs[0].epoch, mine[0].epoch + 1);
}

TEST_F(WholePlansTest, OnesThatSomebodyElseHasLockedAreLeftOut) {
    const auto other = ledger.connect();
    pqxx::work locking{other->raw()};
    locking.exec_params("SELECT FROM job WHERE id = $1::uuid FOR UPDATE", jobs[1]);
    const auto claimed = claim_all();
    ASSERT_EQ(claimed.size(), 2U) << "without waiting";
    EXPECT_EQ(claimed[1].job, jobs[2]);
}

TEST_F(WholePlansTest, LargeJobsAreClaimedOneByOne) {
    ledger.column(
        "UPDATE job SET body = body || jsonb_build_object('padding', (SELECT "
        "string_agg(md5(n::text), '') FROM generate_series(1, 1000) n)) WHERE id = '" +
        jobs[1] + "' RETURNING 1");
    EXPECT_EQ(claim_all().size(), 2U);
    EXPECT_TRUE(claim_plan(db(), jobs[1], lease));
}

TEST_F(WholePlansTest, GivenBackItIsAsIfNobodyHadClaimedThem) {
    for (int i = 0; i < 3; ++i) {
        const auto tasks = claim_all();
        ASSERT_EQ(tasks.size(), 3U);
        EXPECT_EQ(tasks[0].unheard, 1);
        for (const auto& task : tasks) unclaim_plan(db(), task);
    }
    EXPECT_EQ(of(jobs[0], "plan_attempts || ' ' || plan_unheard"), "0 0");
    const auto zombie = claim_all();
    ledger.advance(lease + std::chrono::seconds{1});
    ASSERT_TRUE(claim_plan(db(), jobs[0], lease));
    unclaim_plan(db(), zombie[0]);
    EXPECT_EQ(of(jobs[0], "plan_unheard || ' ' || (plan_lease IS NULL)"), "2 false")
        << "it is another's by now";
}

TEST_F(WholePlansTest, AreWrittenAndFinishedAtOnce) {
    const auto tasks = claim_all();
    EXPECT_THAT(
        write({whole(tasks[0], {"u1", "u2"}), whole(tasks[1], {}), whole(tasks[2], {"u2"})}),
        ElementsAre(jobs[0], jobs[1], jobs[2]));
    EXPECT_EQ(of(jobs[0],
                 "state || ' ' || planned::text || ' ' || plan_chunks::text || ' ' || "
                 "plan_cursor || ' ' || plan_unheard || ' ' || (finished_at IS NULL)"),
              "sending {2,0,0} {1,0,0} u2 0 true");
    EXPECT_EQ(of(jobs[1], "state || ' ' || (finished_at IS NOT NULL)"), "done true");
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk c JOIN job j ON j.id = c.job_id WHERE "
                           "c.state = 'planned' AND c.day = j.day AND c.next_at = app_now() AND "
                           "c.publish_at = app_now() + interval '30 s'"),
              "2");
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk_filter"), "2");
    auto chunks = claim({key(jobs[0]), key(jobs[2])});
    EXPECT_EQ(chunks.size(), 2U) << "and can be sent";
    EXPECT_THAT(claim_all(), IsEmpty());
}

TEST_F(WholePlansTest, OfWhichAnotherIsThePlannerNothingIsWritten) {
    const auto zombies = claim_all();
    ledger.advance(lease + std::chrono::seconds{1});
    ASSERT_TRUE(claim_plan(db(), jobs[0], lease));
    ledger.column("UPDATE job SET state = 'cancelled' WHERE id = '" + jobs[1] + "' RETURNING 1");
    EXPECT_THAT(
        write({whole(zombies[0], {"u1"}), whole(zombies[1], {"u2"}), whole(zombies[2], {"u3"})}),
        ElementsAre(jobs[2]));
    EXPECT_THAT(ledger.column("SELECT job_id FROM chunk"), ElementsAre(jobs[2]));
    EXPECT_EQ(of(jobs[0], "state || ' ' || planned::text"), "planning {0,0,0}");
}

TEST_F(WholePlansTest, TwiceWrittenAreWrittenOnce) {
    const auto tasks = claim_all();
    const std::vector<WholePlan> plans{whole(tasks[0], {"u1"}), whole(tasks[1], {})};
    EXPECT_EQ(write(plans).size(), 2U);
    EXPECT_THAT(write(plans), IsEmpty()) << "the answer to the first may have been lost";
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk"), "1");
}

TEST_F(WholePlansTest, OrdersAreTakenTogetherEachAsItWouldBeAlone) {
    const auto order = [](const std::string& key, const std::string& text = "text") {
        NewJob made{.job = job_named(key),
                    .list = "news",
                    .writes_back = true,
                    .digest = {},
                    .origin = "0/1"};
        made.job.data = {{"title", text}};
        made.digest = digest_of_order(made.job);
        return made;
    };
    ASSERT_EQ(take_job(db(), order("known")).how, TakenJob::How::added);
    auto expires = order("expires");
    expires.job.expires_at = TimePoint{std::chrono::seconds{2'000'000'000}};
    const std::vector<NewJob> orders{order("new"), order("known"), order("new"),
                                     order("new", "other"), std::move(expires)};
    std::vector<const NewJob*> all;
    for (const auto& one : orders) all.push_back(&one);
    const auto taken = take_jobs(db(), all);
    ASSERT_EQ(taken.size(), 5U);
    EXPECT_EQ(taken[0].how, TakenJob::How::added);
    EXPECT_EQ(taken[1].how, TakenJob::How::repeated);
    EXPECT_EQ(taken[2].how, TakenJob::How::repeated) << "one order twice is one job";
    EXPECT_EQ(taken[3].how, TakenJob::How::key_reused);
    EXPECT_EQ(taken[4].how, TakenJob::How::added);
    EXPECT_EQ(taken[4].id, derived_id("expires"));
    // To the letter what one alone would be.
    EXPECT_THAT(ledger.column(
                    "SELECT (to_jsonb(j) - '{id,idempotency_key,body,expires_at,seq}'::text[] "
                    "|| jsonb_build_object('body', j.body - '{id,idempotency_key}'::text[]))::text "
                    "FROM job j WHERE id IN ('" +
                    derived_id("known") + "', '" + derived_id("new") + "') GROUP BY 1"),
                ::testing::SizeIs(1));
    EXPECT_EQ(of(derived_id("expires"), "extract(epoch FROM expires_at)::bigint"), "2000000000");
    EXPECT_EQ(of(derived_id("new"), "expires_at IS NULL"), "t");
}

}  // namespace
}  // namespace fanfare::ledger
