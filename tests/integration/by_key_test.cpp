// Whatever names chunks by key goes by the primary key, for any statistics.
#include "tests/integration/ledger_case.hpp"

namespace fanfare::ledger {
namespace {

using ::testing::SizeIs;

class ByKeyTest : public LedgerCase {
protected:
    /// Statistics say that nothing is open, or nothing at all, and 50,000 chunks are.
    void open_many(bool looked_at = true) {
        job = accept("a");
        const auto fill = [&](const char* channel, const char* state, int count) {
            ledger.column(fmt::format(
                "WITH made AS (INSERT INTO chunk (job_id, channel, number, on_doubt, lane, "
                "publish_at, size, recipients, state) SELECT '{}', {}, n, 0, 1, app_now(), 1, "
                "ARRAY['u' || n], '{}' FROM generate_series(0, {} - 1) n RETURNING 1) "
                "SELECT count(*) FROM made",
                job, channel, state, count));
        };
        pqxx::nontransaction{db().raw()}.exec("ALTER TABLE chunk SET (autovacuum_enabled = false)");
        fill("1", "done", 5'000);
        if (looked_at) pqxx::nontransaction{db().raw()}.exec("VACUUM ANALYZE chunk");
        fill("0", "planned", 50'000);
    }
    /// How many entries of these indexes, and rows of the table without an index, were read.
    std::int64_t read_of(const char* indexes, const char* table) {
        ledger.column("SELECT pg_stat_force_next_flush()::text");
        return std::stoll(ledger.value(fmt::format(
            "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE indexrelname IN "
            "({})) + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = '{}')",
            indexes, table)));
    }
    std::int64_t read_of_the_open() {
        return read_of("'chunk_open', 'chunk_claimed', 'chunk_planned'", "chunk");
    }
    std::int64_t read_of_open_jobs() { return read_of("'job_open', 'job_unsettled'", "job"); }
    std::int64_t read_whole() {
        return std::stoll(ledger.value(
            "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('chunk', "
            "'job')) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE indexrelname IN "
            "('job_open', 'job_unsettled'))"));
    }
    static void flush_counts(postgres::Connection& session) {
        pqxx::nontransaction{session.raw()}.exec("SELECT pg_stat_force_next_flush()");
    }
    /// A small job from its order to its end, as a worker asks.
    static void serve(postgres::Connection& worker, const std::vector<Job>& orders) {
        std::vector<NewJob> news;
        std::vector<std::string> ids;
        for (const auto& job : orders) {
            news.push_back({.job = job, .list = "", .digest = {}, .origin = {}});
            ids.push_back(job.id);
        }
        std::vector<const NewJob*> given;
        for (const auto& order : news) given.push_back(&order);
        ASSERT_THAT(take_jobs(worker, given), SizeIs(orders.size()));
        std::vector<WholePlan> plans;
        for (auto& task : claim_plans(worker, ids, lease)) {
            auto& plan = plans.emplace_back(WholePlan{std::move(task), Lane::normal, {}});
            plan.chunks.push_back({Channel::email, 0, 1, "{u}", DoubtPolicy::hold});
            plan.task.chunks[0] = 1;
        }
        ASSERT_THAT(write_whole_plans(worker, plans, republish_after), SizeIs(orders.size()));
        std::vector<ClaimRequest> requests;
        for (const auto& id : ids) requests.push_back({{id, Channel::email, 0}, "mail"});
        std::vector<ChunkMark> marks;
        std::vector<ChunkRecord> records;
        for (const auto& chunk : claim_chunks(worker, requests, lease, 1)) {
            marks.push_back(mark_for(chunk, bytes_of({Outcome::pending})));
            records.push_back(record_for(chunk, bytes_of({Outcome::sent})));
        }
        ASSERT_THAT(load_jobs(worker, ids), SizeIs(orders.size()));
        ASSERT_THAT(mark_chunks(worker, marks).keys, SizeIs(orders.size()));
        ASSERT_THAT(record_chunks(worker, records).keys, SizeIs(orders.size()));
        ASSERT_THAT(finish_jobs(worker, ids), SizeIs(orders.size()));
    }

    std::string job;
};

TEST_F(ByKeyTest, IsClaimedMarkedAndRecordedWhatIsNamedAndNothingElseRead) {
    open_many();
    const auto before = read_of_the_open();
    std::vector<ChunkKey> keys;
    for (int i = 0; i < 64; ++i) keys.push_back(key(job, i * 700));
    const auto chunks = claim(keys);
    EXPECT_THAT(chunks, SizeIs(64));
    EXPECT_EQ(read_of_the_open() - before, 0) << "a claim walked what is open";
    std::vector<ChunkMark> marks;
    std::vector<ChunkRecord> records;
    for (const auto& chunk : chunks) {
        marks.push_back(mark_for(chunk, bytes_of({Outcome::pending})));
        records.push_back(record_for(chunk, bytes_of({Outcome::sent})));
    }
    EXPECT_THAT(mark_chunks(db(), marks).keys, SizeIs(64));
    EXPECT_EQ(read_of_the_open() - before, 0) << "a mark walked what is open";
    EXPECT_THAT(record_chunks(db(), records).keys, SizeIs(64));
    EXPECT_EQ(read_of_the_open() - before, 0) << "a record walked what is open";
}

TEST_F(ByKeyTest, APlanThatWasMadeWhileThereWasNothingGoesByKeyAllTheSame) {
    const auto few = accept("few");
    plan(few, {{"a"}, {"b"}});
    for (int i = 0; i < 8; ++i) {  // From the sixth time on PostgreSQL keeps one plan.
        std::ignore = claim({key(few, 7)});
        std::ignore = mark_chunks(db(), std::vector<ChunkMark>{});
        std::ignore = record_chunks(db(), std::vector<ChunkRecord>{});
    }
    open_many(false);
    const auto before = read_of_the_open();
    EXPECT_THAT(claim({key(job, 3), key(job, 40'000)}), SizeIs(2));
    EXPECT_EQ(read_of_the_open() - before, 0) << "a claim walked what is open";
}

TEST_F(ByKeyTest, AJobIsClosedWithoutALookAtWhatElseIsOpen) {
    const auto over = accept("over");
    plan(over, {{"a"}});
    const auto chunks = claim({key(over)});
    ASSERT_THAT(record(record_for(chunks.at(0), bytes_of({Outcome::sent}))), SizeIs(1));
    ledger.column(
        "WITH made AS (INSERT INTO job (id, idempotency_key, system, kind, body, lane, state) "
        "SELECT gen_random_uuid(), 'k' || n, 's', 'k', '{}', 1, 'sending' "
        "FROM generate_series(1, 5000) n RETURNING id), theirs AS (INSERT INTO chunk (job_id, "
        "channel, number, on_doubt, lane, publish_at, size, recipients, state) "
        "SELECT id, 0, 0, 0, 1, app_now(), 1, '{u}', 'done' FROM made RETURNING 1) "
        "SELECT count(*) FROM theirs");
    open_many();
    const auto chunks_before = read_of_the_open();
    const auto jobs_before = read_of_open_jobs();
    EXPECT_THAT(finish_jobs(db(), std::vector<std::string>{over}), SizeIs(1));
    EXPECT_LE(read_of_the_open() - chunks_before, 4) << "but for what is left of its own";
    EXPECT_EQ(read_of_open_jobs() - jobs_before, 0);
}

TEST_F(ByKeyTest, ForAWorkerNothingIsReadWholeWhileItIsSmall) {
    const auto worker = ledger.database().connect({.goes_by_key = true});
    serve(*worker, {job_named("a"), job_named("b")});  // Plans are made of an empty ledger.
    for (int i = 0; i < 30; ++i) accept(fmt::format("other {}", i));
    flush_counts(db());
    flush_counts(*worker);
    const auto before = read_whole();
    serve(*worker, {job_named("c"), job_named("d"), job_named("e")});
    flush_counts(*worker);
    EXPECT_EQ(read_whole() - before, 0);
}

}  // namespace
}  // namespace fanfare::ledger
