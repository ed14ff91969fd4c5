// Who comes to an outcome and who leaves it is counted, whoever records it.
#include "core/ledger/figures.hpp"
#include "core/ledger/lease.hpp"
#include "core/ledger/migrate.hpp"
#include "core/ledger/pauses.hpp"
#include "core/ledger/receipts.hpp"
#include "core/ledger/replays.hpp"
#include "core/ledger/splits.hpp"
#include "core/wire/timestamp.hpp"
#include "tests/integration/ledger_case.hpp"

#include <pqxx/transaction>

#include <filesystem>
#include <future>

namespace fanfare::ledger {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using enum Outcome;

class MovesTest : public LedgerCase {
protected:
    ClaimedChunk claim_one(const ChunkKey& chunk, std::int64_t token = 1) {
        auto claimed = claim({chunk}, token);
        return std::move(claimed.at(0));
    }
    /// "pending>sent 2", by the codes; "-" is outside the ledger.
    std::vector<std::string> moves() {
        return ledger.column(
            "SELECT format('%s>%s %s', coalesce(f.name, '-'), coalesce(t.name, '-'), people) "
            "FROM outcome_moves m LEFT JOIN outcome f ON f.code = m.from_outcome "
            "LEFT JOIN outcome t ON t.code = m.to_outcome ORDER BY from_outcome, to_outcome");
    }
    std::vector<ChunkKey> hear(const ChunkKey& chunk,
                               const std::vector<std::pair<std::uint32_t, ReceiptEvent>>& words) {
        ReceiptBatch batch{.account = "mail",
                           .channel = chunk.channel,
                           .job = chunk.job,
                           .chunk = static_cast<std::uint32_t>(chunk.number),
                           .receipts = {}};
        for (const auto& [position, event] : words) {
            Receipt receipt;
            receipt.reference.position = position;
            receipt.event = event;
            batch.receipts.push_back(receipt);
        }
        std::ignore = apply_receipts(db(), std::vector{batch});
        return {};
    }
};

TEST_F(MovesTest, WhatASenderRecords) {
    const auto job = accept("a");
    plan(job, {{"a", "b", "c"}});
    EXPECT_THAT(moves(), ElementsAre("->pending 3"));
    const auto first = claim_one(key(job), 1);
    EXPECT_THAT(record(record_for(first, bytes_of({sent, retry, retry}))), SizeIs(1));
    const auto second = claim_one(key(job), 2);
    EXPECT_THAT(record(record_for(second, bytes_of({sent, sent, failed}))), SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 3", "pending>sent 1", "pending>retry 2",
                                     "retry>sent 1", "retry>failed 1"));
    EXPECT_THAT(record(record_for(first, bytes_of({failed, failed, failed}))), IsEmpty());
    EXPECT_THAT(moves(), SizeIs(5)) << "what is fenced off counts for nothing";
}

TEST_F(MovesTest, AMarkAndTheRecordAfterItCountOnce) {
    const auto job = accept("a");
    plan(job, {{"a", "b", "c"}});
    const auto chunk = claim_one(key(job));
    EXPECT_THAT(mark(chunk, bytes_of({pending, pending, pending})).keys, SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 3"));
    EXPECT_THAT(mark(chunk, bytes_of({sent, pending, pending})).keys, SizeIs(1));
    EXPECT_THAT(mark(chunk, bytes_of({sent, pending, pending})).keys, SizeIs(1)) << "again";
    EXPECT_THAT(record(record_for(chunk, bytes_of({sent, failed, sent}))), SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 3", "pending>sent 2", "pending>failed 1"));
}

TEST_F(MovesTest, WhoChangesPlacesIsCountedThoughTheTallyIsTheSame) {
    const auto job = accept("a");
    plan(job, {{"a", "b", "c"}});
    const auto chunk = claim_one(key(job));
    EXPECT_THAT(mark(chunk, bytes_of({sent, failed, pending})).keys, SizeIs(1));
    EXPECT_THAT(mark(chunk, bytes_of({failed, sent, pending})).keys, SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 3", "pending>sent 1", "pending>failed 1",
                                     "sent>failed 1", "failed>sent 1"));
}

TEST_F(MovesTest, ATakeoverAndTheLateWordOfWhoLives) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}});
    const auto lost = claim_one(key(job), 7);
    ledger.advance(lease + 1s);
    const auto taken = take_over_stalled(db(), 10, lease);
    auto guess = record_for(taken.at(0), bytes_of({unknown, unknown}));
    guess.reasons = reasons_of({Reason::worker_lost, Reason::worker_lost});
    guess.taken_over = true;
    EXPECT_THAT(record(guess), SizeIs(1));
    EXPECT_THAT(record(record_for(lost, bytes_of({sent, failed}))), SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 2", "pending>unknown 2", "unknown>sent 1",
                                     "unknown>failed 1"));
}

TEST_F(MovesTest, ReceiptsEarlyAndLate) {
    const auto job = accept("a");
    plan(job, {{"a", "b", "c"}});
    const auto chunk = claim_one(key(job));
    hear(key(job), {{0, ReceiptEvent::delivered}});
    EXPECT_THAT(record(record_for(chunk, bytes_of({sent, sent, sent}))), SizeIs(1));
    EXPECT_EQ(apply_early_receipts(db(), 10).raised, 1U);
    hear(key(job), {{1, ReceiptEvent::hard_bounced}, {2, ReceiptEvent::opened}});
    hear(key(job), {{2, ReceiptEvent::delivered}, {0, ReceiptEvent::delivered}});
    EXPECT_THAT(moves(), ElementsAre("->pending 3", "pending>sent 3", "sent>delivered 1",
                                     "sent>opened 1", "sent>refused 1"));
}

TEST_F(MovesTest, CancelAndExpiry) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}, {"c"}});
    const auto held = claim_one(key(job, 1));
    {
        pqxx::work work{db().raw()};
        EXPECT_EQ(stop_jobs(work, "{" + job + "}"), 1U);
        work.commit();
    }
    EXPECT_THAT(moves(), ElementsAre("->pending 3", "pending>cancelled 2"));
    EXPECT_THAT(record(record_for(held, bytes_of({expired}))), SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 3", "pending>expired 1", "pending>cancelled 2"));
}

TEST_F(MovesTest, AReplay) {
    const auto job = accept("a");
    plan(job, {{"a", "b", "c"}});
    EXPECT_THAT(record(record_for(claim({key(job)}).at(0), bytes_of({sent, failed, failed}))),
                SizeIs(1));
    finish_jobs(db(), {});
    ReplayOrder order;
    order.key = "again";
    order.filter.outcomes = {failed};
    const auto id = begin_replay(db(), order).id;
    ASSERT_EQ(replay_job(db(), id, order, job).people, 2);
    EXPECT_THAT(moves(), ElementsAre("->pending 5", "pending>sent 1", "pending>failed 2",
                                     "failed>replayed 2"));
}

TEST_F(MovesTest, WhoIsSplitOffIsPlannedOnce) {
    const auto job = accept("a");
    plan(job, {{"a", "b", "c"}});
    auto chunk = claim_one(key(job));
    const std::vector<Split> splits{{*parse_timestamp("2030-01-01T13:00:00Z"), {1}}};
    ASSERT_TRUE(split_chunk(db(), chunk, chunk, splits));
    EXPECT_THAT(record(record_for(chunk, bytes_of({sent, sent}))), SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 4", "pending>- 1", "pending>sent 2"))
        << "one left for a chunk of their own";
}

TEST_F(MovesTest, WhatIsRolledBackOrDeletedIsNotThere) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}});
    {
        pqxx::work work{db().raw()};
        work.exec("UPDATE chunk SET outcomes = '\\x0101', tally = '{0,2}'");
    }
    EXPECT_THAT(moves(), ElementsAre("->pending 2"));
    EXPECT_THAT(record(record_for(claim({key(job)}).at(0), bytes_of({sent, failed}))), SizeIs(1));
    ledger.column("DELETE FROM job RETURNING id");
    EXPECT_THAT(moves(), ElementsAre("->pending 2", "pending>sent 1", "pending>failed 1",
                                     "sent>- 1", "failed>- 1"));
}

TEST_F(MovesTest, ManyPeopleByBlocks) {
    const auto job = accept("a");
    std::vector<std::string> people;
    for (int i = 0; i < 1'000; ++i) people.push_back(fmt::format("p{:04}", i));
    plan(job, {people});
    const auto chunk = claim_one(key(job));
    std::string outcomes(1'000, static_cast<char>(pending));
    for (const auto i : {0, 31, 32, 63, 500, 999}) outcomes[static_cast<std::size_t>(i)] = '\1';
    EXPECT_THAT(mark(chunk, outcomes).keys, SizeIs(1));
    for (const auto i : {1, 33, 998}) outcomes[static_cast<std::size_t>(i)] = '\14';
    EXPECT_THAT(mark(chunk, outcomes).keys, SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 1000", "pending>sent 6", "pending>failed 3"));
}

TEST_F(MovesTest, FromWaveToWaveByTallies) {
    const auto job = accept("a");
    plan(job, {{"a", "b", "c", "d"}});
    const auto chunk = claim_one(key(job));
    EXPECT_THAT(mark(chunk, bytes_of({pending, pending, pending, pending})).keys, SizeIs(1));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk WHERE outcomes IS NULL"), "1")
        << "nothing is known, and nothing changes";
    EXPECT_THAT(mark(chunk, bytes_of({sent, pending, pending, pending})).keys, SizeIs(1));
    EXPECT_THAT(mark(chunk, bytes_of({sent, sent, pending, pending})).keys, SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 4", "pending>sent 2"));
    EXPECT_THAT(mark(chunk, bytes_of({sent, sent, sent, retry})).keys, SizeIs(1));
    EXPECT_THAT(record(record_for(chunk, bytes_of({sent, sent, sent, sent}))), SizeIs(1));
    EXPECT_THAT(moves(),
                ElementsAre("->pending 4", "pending>sent 3", "pending>retry 1", "retry>sent 1"));
}

TEST_F(MovesTest, ChunksOfOneStatementAreCountedTogether) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}, {"c"}});
    EXPECT_THAT(moves(), ElementsAre("->pending 3"));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM outcome_move"), "1");
}

TEST_F(MovesTest, FoldedTheyAreTheSame) {
    const auto job = accept("a");
    const auto other = accept("b");
    plan(job, {{"a", "b"}});
    plan(other, {{"c"}});
    EXPECT_THAT(record(record_for(claim({key(job)}).at(0), bytes_of({sent, failed}))), SizeIs(1));
    const auto before = moves();
    EXPECT_EQ(fold_moves(db(), 3), 3U) << "so many at once";
    EXPECT_EQ(moves(), before);
    EXPECT_EQ(fold_moves(db(), 100), 1U);
    EXPECT_EQ(fold_moves(db(), 100), 0U);
    EXPECT_EQ(moves(), before);
    EXPECT_EQ(ledger.value("SELECT count(*) FROM outcome_move"), "0");
    EXPECT_EQ(ledger.value("SELECT count(*) FROM outcome_total"), "3");
    EXPECT_THAT(record(record_for(claim({key(other)}).at(0), bytes_of({sent}))), SizeIs(1));
    EXPECT_THAT(moves(), ElementsAre("->pending 3", "pending>sent 2", "pending>failed 1"));
}

TEST_F(MovesTest, SeveralThatFoldBesideWhoRecordsLoseNothing) {
    const auto job = accept("a");
    std::vector<std::vector<std::string>> groups;
    for (int i = 0; i < 200; ++i) groups.push_back({fmt::format("p{:03}", i)});
    plan(job, groups);
    const auto fold = [this] {
        const auto connection = ledger.connect();
        for (int i = 0; i < 100; ++i) std::ignore = fold_moves(*connection, 7);
    };
    auto one = std::async(std::launch::async, fold);
    auto other = std::async(std::launch::async, fold);
    for (int i = 0; i < 200; ++i) {
        const auto chunk = claim_one(key(job, i), i + 1);
        EXPECT_THAT(record(record_for(chunk, bytes_of({sent}))), SizeIs(1));
    }
    one.get();
    other.get();
    EXPECT_THAT(moves(), ElementsAre("->pending 200", "pending>sent 200"));
}

TEST_F(MovesTest, TheFiguresOfTheLedger) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}, {"c"}, {"d"}});
    accept("b");
    EXPECT_THAT(claim({key(job, 1)}), SizeIs(1));
    ledger.advance(90s);
    auto later = record_for(claim({key(job, 2)}).at(0), bytes_of({retry}));
    later.next_in = 1h;
    EXPECT_THAT(record(later), SizeIs(1));
    const auto figures = read_figures(db(), {});
    EXPECT_THAT(figures.moves, SizeIs(2));
    ASSERT_THAT(figures.backlog, SizeIs(3));
    for (const auto& backlog : figures.backlog) {
        EXPECT_EQ(backlog.people, backlog.waiting == Waiting::due ? 2 : 1);
        if (backlog.waiting == Waiting::due) {
            EXPECT_EQ(backlog.oldest_s, 90);
        } else if (backlog.waiting == Waiting::later) {
            EXPECT_EQ(backlog.oldest_s, 0);
        }
    }
    ASSERT_THAT(figures.jobs, SizeIs(2));
    EXPECT_EQ(figures.overdue, 0);
    EXPECT_EQ(figures.replays, 0);
}

TEST_F(MovesTest, WhatIsPausedIsNotDue) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}, {"c"}});
    const auto other = accept("b");
    plan(other, {{"d"}});
    EXPECT_THAT(claim({key(job, 1)}), SizeIs(1));
    std::ignore = pause(
        db(),
        {.target = {Paused::job, job}, .channel = {}, .until = {}, .who = "w", .because = "b"});
    std::map<Waiting, std::int64_t> people;
    for (const auto& backlog : read_figures(db(), {}).backlog)
        people[backlog.waiting] = backlog.people;
    EXPECT_THAT(people, ElementsAre(Pair(Waiting::due, 1), Pair(Waiting::held, 1),
                                    Pair(Waiting::paused, 2)));
}

TEST_F(MovesTest, WhomNoAccountMayServeIsPausedToo) {
    plan(accept("a"), {{"a", "b"}});
    const auto hold = [this](const std::string& account) {
        std::ignore = pause(db(), {.target = {Paused::account, account},
                                   .channel = Channel::email,
                                   .until = {},
                                   .who = "w",
                                   .because = "b"});
    };
    const auto waiting = [this](const std::vector<NamedAccount>& accounts) {
        return read_figures(db(), accounts).backlog.at(0).waiting;
    };
    const std::vector<NamedAccount> one{{"first", Channel::email}, {"texts", Channel::sms}};
    const std::vector<NamedAccount> two{
        {"first", Channel::email}, {"second", Channel::email}, {"texts", Channel::sms}};
    EXPECT_EQ(waiting(one), Waiting::due);
    hold("texts");
    EXPECT_EQ(waiting(one), Waiting::due) << "of another channel";
    hold("first");
    EXPECT_EQ(waiting(one), Waiting::paused) << "the only one";
    EXPECT_EQ(waiting(two), Waiting::due) << "another one serves them";
    hold("second");
    EXPECT_EQ(waiting(two), Waiting::paused);
    EXPECT_EQ(waiting({}), Waiting::due);
}

TEST_F(MovesTest, ALeaseIsOneHolders) {
    EXPECT_EQ(take_lease(db(), "figures", "a", 10s), 1);
    EXPECT_EQ(take_lease(db(), "figures", "b", 10s), std::nullopt);
    EXPECT_EQ(take_lease(db(), "another", "b", 10s), 1);
    ledger.advance(9s);
    EXPECT_EQ(take_lease(db(), "figures", "a", 10s), 1) << "held for longer";
    ledger.advance(9s);
    EXPECT_EQ(take_lease(db(), "figures", "b", 10s), std::nullopt);
    ledger.advance(1s);
    EXPECT_EQ(take_lease(db(), "figures", "b", 10s), 2);
    EXPECT_EQ(take_lease(db(), "figures", "a", 10s), std::nullopt);
    give_back_lease(db(), "figures", "a");
    EXPECT_EQ(take_lease(db(), "figures", "a", 10s), std::nullopt) << "it was not a's to give";
    give_back_lease(db(), "figures", "b");
    EXPECT_EQ(take_lease(db(), "figures", "a", 10s), 3);
}

TEST_F(MovesTest, AJobThatEndsTellsWhatBecameOfItsPeople) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}, {"c"}});
    EXPECT_THAT(record(record_for(claim({key(job)}).at(0), bytes_of({sent, failed}))), SizeIs(1));
    EXPECT_THAT(finish_jobs(db(), {}), IsEmpty());
    ledger.advance(90s);
    EXPECT_THAT(record(record_for(claim({key(job, 1)}).at(0), bytes_of({sent}))), SizeIs(1));
    const auto ended = finish_jobs(db(), {});
    ASSERT_THAT(ended, SizeIs(1));
    EXPECT_EQ(ended[0].id, job);
    EXPECT_EQ(ended[0].state, "done");
    EXPECT_EQ(ended[0].seconds, 90);
    EXPECT_EQ(describe(ended[0].outcomes), "2 sent, 1 failed");
    EXPECT_THAT(finish_jobs(db(), {}), IsEmpty()) << "once";
}

/// What was in the ledger before it counted.
TEST(MovesOfOld, AreWhereTheyCameFrom) {
    namespace fs = std::filesystem;
    const fs::path all{FANFARE_SOURCE_DIR "/config/migrations"};
    const auto before = fs::path{::testing::TempDir()} / fmt::format("before_{}", getpid());
    fs::create_directories(before);
    for (const auto& file : fs::directory_iterator{all}) {
        if (file.path().filename() < "018") {
            fs::copy_file(file, before / file.path().filename(),
                          fs::copy_options::overwrite_existing);
        }
    }
    const test::TestDatabase database;
    ASSERT_TRUE(migrate(database.url(), before));
    const auto connection = database.connect();
    const auto run = [&](const std::string& sql) {
        return pqxx::nontransaction{connection->raw()}.exec(sql);
    };
    run("INSERT INTO job (id, idempotency_key, system, kind, body, lane) VALUES "
        "('00000000-0000-0000-0000-000000000001', 'a', 'shows', 'show.reminder', '{}', 0)");
    run("INSERT INTO chunk (job_id, channel, number, on_doubt, lane, publish_at, size, recipients, "
        "outcomes, tally) SELECT id, 0, n, 0, 0, now(), 2, '{a,b}', CASE n WHEN 1 THEN "
        "'\\x010c'::bytea END, CASE n WHEN 1 THEN '{0,1,0,0,0,0,0,0,0,0,0,0,1}'::int[] END "
        "FROM job, generate_series(1, 2) n");
    ASSERT_TRUE(migrate(database.url(), all));
    EXPECT_TRUE(run("SELECT FROM outcome_difference").empty());
    run("UPDATE chunk SET outcomes = '\\x0101', tally = '{0,2}' WHERE number = 2");
    EXPECT_TRUE(run("SELECT FROM outcome_difference").empty())
        << "programs of the version before count, for the ledger does";
    EXPECT_EQ(run("SELECT sum(people) FROM outcome_moves WHERE to_outcome = 1")[0][0].as<int>(), 3);
    fs::remove_all(before);
}

}  // namespace
}  // namespace fanfare::ledger
