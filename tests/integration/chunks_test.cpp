#include "core/ledger/chunks.hpp"

#include "tests/integration/ledger_case.hpp"

#include <pqxx/transaction>

#include <algorithm>
#include <future>
#include <random>
#include <set>

namespace fanfare::ledger {

namespace {

using enum Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChunksTest : public LedgerCase {};

TEST_F(ChunksTest, AreClaimedWithAllThatSendingNeeds) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2"}, {"u3"}}, DoubtPolicy::reconcile);
    const auto chunks = claim({key(job, 1), key(job, 0)});
    ASSERT_THAT(chunks, SizeIs(2));
    const auto& chunk = chunks[0].key.number == 0 ? chunks[0] : chunks[1];
    EXPECT_EQ(chunk.key, key(job, 0));
    EXPECT_EQ(chunk.epoch, 1);
    EXPECT_EQ(chunk.attempts, bytes_of({pending, pending}));
    EXPECT_EQ(chunk.lane, Lane::normal);
    EXPECT_EQ(chunk.on_doubt, DoubtPolicy::reconcile);
    EXPECT_FALSE(chunk.job_cancelled);
    EXPECT_FALSE(chunk.job_expired);
    EXPECT_THAT(chunk.recipients.elements, ElementsAre("u1", "u2"));
    EXPECT_EQ(chunk.outcomes, bytes_of({pending, pending}));
    EXPECT_EQ(chunk.reasons, std::string(2, '\0'));
    EXPECT_THAT(chunk.provider_ids, IsEmpty());
}

TEST_F(ChunksTest, OfOnePersonKeepThatPersonWhileTheyArePassedOn) {
    const auto job = accept("a");
    plan(job, {{"7"}});
    auto chunks = claim({key(job)});
    ASSERT_THAT(chunks, SizeIs(1));
    std::optional<ClaimedChunk> passed{std::move(chunks[0])};
    const ClaimedChunk kept = std::move(*passed);
    passed.reset();
    chunks.clear();
    EXPECT_THAT(kept.recipients.elements, ElementsAre("7"));
}

TEST_F(ChunksTest, AreClaimedByOne) {
    const auto job = accept("a");
    plan(job, {{"u1"}});
    EXPECT_THAT(claim({key(job)}, 1), SizeIs(1));
    EXPECT_THAT(claim({key(job)}, 2), IsEmpty());
    EXPECT_THAT(claim({key(job, 9)}, 2), IsEmpty()) << "there is no such chunk";
    EXPECT_THAT(claim({}, 2), IsEmpty());
}

TEST_F(ChunksTest, NamedTwiceInOneClaimAreClaimedOnce) {
    const auto job = accept("a");
    plan(job, {{"u1"}});
    EXPECT_THAT(claim({key(job), key(job)}), SizeIs(1));
}

TEST_F(ChunksTest, AreClaimedAgainWithTheSameToken) {
    const auto job = accept("a");
    plan(job, {{"u1"}});
    const auto lost = claim({key(job)}, 42);
    const auto again = claim({key(job)}, 42);
    ASSERT_THAT(again, SizeIs(1)) << "the first answer was lost on the way";
    EXPECT_GT(again[0].epoch, lost.at(0).epoch);
    EXPECT_THAT(record(record_for(again[0], bytes_of({sent}))), SizeIs(1));
    EXPECT_THAT(claim({key(job)}, 42), IsEmpty()) << "done is done";
}

TEST_F(ChunksTest, AreNeverClaimedByTwoAtOnce) {
    const auto job = accept("a");
    std::vector<std::vector<std::string>> groups;
    std::vector<ClaimRequest> keys;
    for (int i = 0; i < 200; ++i) {
        groups.push_back({fmt::format("u{:03}", i)});
        keys.push_back({key(job, i), "mail"});
    }
    plan(job, groups);
    const auto greedy = [&](unsigned seed) {
        const auto connection = ledger.connect();
        std::mt19937 random{seed};
        auto mine = keys;
        std::shuffle(mine.begin(), mine.end(), random);
        std::vector<ChunkKey> got;
        for (std::size_t first = 0; first < mine.size(); first += 8) {
            const std::span part{mine.data() + first, 8};
            for (const auto& chunk : claim_chunks(*connection, part, lease, seed)) {
                got.push_back(chunk.key);
            }
        }
        return got;
    };
    std::vector<std::future<std::vector<ChunkKey>>> all;
    for (unsigned seed = 1; seed <= 4; ++seed) {
        all.push_back(std::async(std::launch::async, greedy, seed));
    }
    std::multiset<ChunkKey> got;
    for (auto& one : all) {
        for (const auto& claimed : one.get()) got.insert(claimed);
    }
    for (const auto& claimed : got) EXPECT_EQ(got.count(claimed), 1U);
    // A chunk that was locked just then by one who left it out is claimed the next time.
    for (const auto& chunk : claim_chunks(db(), keys, lease, 99)) got.insert(chunk.key);
    EXPECT_THAT(got, SizeIs(200));
}

TEST_F(ChunksTest, TakeNothingFromAZombieWhileAnotherHoldsThem) {
    const auto job = accept("a");
    plan(job, {{"u1"}}, DoubtPolicy::resend);
    const auto zombie = claim({key(job)}, 1);
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_THAT(take_over(pending), SizeIs(1));
    const auto next = claim({key(job)}, 2);
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_THAT(record(record_for(zombie.at(0), bytes_of({refused}))), IsEmpty());
    EXPECT_THAT(mark(zombie.at(0), bytes_of({refused})).keys, IsEmpty());
    EXPECT_EQ(outcomes_of(job), "pending") << "the zombie wrote into a chunk that is not its own";
    EXPECT_THAT(record(record_for(next[0], bytes_of({sent}))), SizeIs(1))
        << "the holder's word counts";
    EXPECT_THAT(record(record_for(zombie.at(0), bytes_of({refused}))), IsEmpty());
    EXPECT_EQ(outcomes_of(job), "sent");
}

TEST_F(ChunksTest, OfOneStatementAreFencedOneByOne) {
    const auto job = accept("a");
    plan(job, {{"u1"}, {"u2"}, {"u3"}});
    const auto chunks = claim({key(job, 0), key(job, 1), key(job, 2)});
    std::vector<ChunkRecord> records;
    for (const auto& chunk : chunks) records.push_back(record_for(chunk, bytes_of({sent})));
    for (auto& record : records) {
        if (record.key.number != 1) continue;
        ++record.epoch;  // Somebody else's by now.
        ++record.token;
    }
    auto written = record_chunks(db(), records).keys;
    std::sort(written.begin(), written.end());
    EXPECT_THAT(written, ElementsAre(key(job, 0), key(job, 2)));
    EXPECT_EQ(outcomes_of(job), "sent pending sent");
}

TEST_F(ChunksTest, ThatAreTriedLaterAreNotClaimedBefore) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2"}});
    auto chunks = claim({key(job)}, 1);
    auto later = record_for(chunks.at(0), bytes_of({sent, retry}));
    later.next_in = std::chrono::seconds{90};
    later.reasons = reasons_of({Reason::none, Reason::throttled});
    later.attempts = std::string{'\0', '\3'};
    later.provider_ids = {"m-1", ""};
    EXPECT_THAT(record(later), SizeIs(1));

    ledger.advance(std::chrono::seconds{89});
    EXPECT_THAT(claim({key(job)}, 2), IsEmpty());
    EXPECT_THAT(overdue(10), IsEmpty());
    ledger.advance(std::chrono::seconds{1});
    EXPECT_THAT(overdue(10), SizeIs(1)) << "due: it is fetched";
    chunks = claim({key(job)}, 3);
    ASSERT_THAT(chunks, SizeIs(1));
    EXPECT_EQ(chunks[0].attempts, later.attempts);
    EXPECT_EQ(chunks[0].epoch, 2);
    EXPECT_EQ(chunks[0].outcomes, bytes_of({sent, retry})) << "who was told is not told again";
    EXPECT_EQ(chunks[0].reasons[1], static_cast<char>(Reason::throttled));
    EXPECT_THAT(chunks[0].provider_ids, ElementsAre("m-1", ""));
}

TEST_F(ChunksTest, WhoseWorkerDiedAreTakenOverByOne) {
    const auto job = accept("a");
    plan(job, {{"u1"}, {"u2"}, {"u3"}});
    ASSERT_THAT(claim({key(job, 0), key(job, 1)}), SizeIs(2));
    ledger.advance(lease - std::chrono::seconds{1});
    EXPECT_THAT(take_over_stalled(db(), 10, lease), IsEmpty()) << "the lease still runs";
    ledger.advance(std::chrono::seconds{2});
    const auto one = take_over_stalled(db(), 1, lease);
    const auto other = take_over_stalled(db(), 10, lease);
    ASSERT_THAT(one, SizeIs(1));
    ASSERT_THAT(other, SizeIs(1)) << "not the one that was taken, nor the one nobody claimed";
    EXPECT_NE(one[0].key, other[0].key);
    EXPECT_THAT(take_over_stalled(db(), 10, lease), IsEmpty());
    EXPECT_THAT(claim({key(job, 0), key(job, 1)}, 2), IsEmpty()) << "they are settled first";
}

TEST_F(ChunksTest, CannotBeWrittenWhileSomebodyHasLockedTheTable) {
    EXPECT_FALSE(has_work(db()));
    pqxx::nontransaction{db().raw()}.exec("SET lock_timeout = 1");
    const auto other = ledger.connect();
    pqxx::work work{other->raw()};
    work.exec("LOCK TABLE chunk IN SHARE MODE");  // As CREATE INDEX does.
    EXPECT_THROW((void)has_work(db()), pqxx::sql_error);
    work.abort();
    EXPECT_FALSE(has_work(db()));
}

TEST_F(ChunksTest, WhoseLeaseRanOutBehindALockAreLeftToWhoHoldsThem) {
    const auto job = accept("a");
    plan(job, {{"u1"}});
    ASSERT_THAT(claim({key(job)}), SizeIs(1));
    ledger.advance(lease + std::chrono::milliseconds{1});  // Less than it waits below.
    const auto other = ledger.connect();
    pqxx::work work{other->raw()};
    work.exec("LOCK TABLE chunk IN ACCESS EXCLUSIVE MODE");
    auto taken = std::async(std::launch::async, [&] { return take_over_stalled(db(), 9, lease); });
    const std::string waits =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock' AND clock_timestamp() - xact_start > interval '10 ms'";
    while (work.exec(waits)[0][0].as<int>() == 0 &&
           taken.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready) {
        work.exec("SELECT pg_stat_clear_snapshot()");
    }
    work.abort();
    EXPECT_THAT(taken.get(), IsEmpty());
    ledger.advance(std::chrono::hours{1});  // More than any statement takes.
    EXPECT_THAT(take_over_stalled(db(), 9, lease), SizeIs(1));
}

TEST_F(ChunksTest, ThatNobodyClaimsAreFetched) {
    const auto job = accept("a");
    plan(job, {{"u1"}, {"u2"}, {"u3"}});
    EXPECT_THAT(overdue(10), IsEmpty()) << "just published";
    ASSERT_THAT(claim({key(job, 0)}), SizeIs(1));
    ledger.advance(republish_after);
    const auto first = overdue(1);
    const auto rest = overdue(10);
    ASSERT_THAT(first, SizeIs(1));
    ASSERT_THAT(rest, SizeIs(1));
    EXPECT_EQ((std::set{first[0].key, rest[0].key}), (std::set{key(job, 1), key(job, 2)}));
    EXPECT_EQ(first[0].lane, Lane::normal);
    EXPECT_THAT(overdue(10), IsEmpty());
    ledger.advance(republish_after);
    EXPECT_THAT(overdue(10), SizeIs(2)) << "again and again, until claimed";
}

TEST_F(ChunksTest, AreFetchedByChannelAndLaneAsFarAsThereIsRoom) {
    const auto job = accept("a");
    plan(job, {{"u1"}, {"u2"}, {"u3"}});
    pqxx::nontransaction{db().raw()}.exec(
        "UPDATE chunk SET lane = 0 WHERE number = 2; "
        "WITH one AS (DELETE FROM chunk WHERE number = 1 RETURNING *) INSERT INTO chunk "
        "(job_id, day, channel, number, on_doubt, lane, publish_at, next_at, size, recipients) "
        "SELECT job_id, day, 1, 1, on_doubt, lane, publish_at, next_at, size, recipients FROM one");
    ledger.advance(republish_after);
    const auto fetch = [&](Channel channel, Lane lane, std::int64_t room) {
        return take_overdue(db(), std::vector{Room{channel, lane, room}}, republish_after).size();
    };
    EXPECT_EQ(fetch(Channel::push, Lane::normal, 9), 0U);
    EXPECT_EQ(fetch(Channel::email, Lane::normal, 0), 0U);
    EXPECT_EQ(fetch(Channel::email, Lane::normal, 9), 1U);
    EXPECT_EQ(fetch(Channel::email, Lane::urgent, 9), 1U);
    EXPECT_EQ(fetch(Channel::sms, Lane::normal, 9), 1U) << "still there for who has the room";
}

TEST_F(ChunksTest, OfACancelledOrExpiredJobSaySo) {
    auto short_lived = job_named("b");
    short_lived.expires_at =
        std::chrono::sys_days{std::chrono::year{2030} / 1 / 1} + std::chrono::hours{13};
    const auto cancelled = accept("a");
    const auto expiring = accept(short_lived);
    plan(cancelled, {{"u1"}});
    plan(expiring, {{"u1"}, {"u2"}});
    ledger.column(
        fmt::format("UPDATE job SET state = 'cancelled' WHERE id = '{}' RETURNING 1", cancelled));
    EXPECT_TRUE(claim({key(cancelled)}).at(0).job_cancelled);
    EXPECT_FALSE(claim({key(expiring, 0)}).at(0).job_expired);
    ledger.advance(std::chrono::hours{1});
    EXPECT_TRUE(claim({key(expiring, 1)}).at(0).job_expired);
}

TEST_F(ChunksTest, TellTheFateOfEveryone) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2", "u3"}, {"u4"}});
    EXPECT_EQ(outcomes_of(job), "pending pending pending pending");
    expect_everyone_counted();
    const auto chunk = std::move(claim({key(job, 0)}).at(0));
    auto entry = record_for(chunk, bytes_of({sent, refused, sent}));
    entry.reasons = reasons_of({Reason::none, Reason::address_invalid, Reason::none});
    entry.attempts = std::string{'\0', '\1', '\2'};
    entry.provider_ids = {"call-1"};
    ASSERT_THAT(record(entry), SizeIs(1));
    expect_everyone_counted();
    EXPECT_THAT(ledger.column("SELECT concat_ws(' ', recipient, outcome, reason, "
                              "coalesce(provider_id, '-'), attempts, kind, channel, account) "
                              "FROM delivery ORDER BY recipient"),
                ElementsAre("u1 sent none call-1 0 show.reminder email mail",
                            "u2 refused address_invalid - 1 show.reminder email mail",
                            "u3 sent none call-1 2 show.reminder email mail",
                            "u4 pending none - 0 show.reminder email"));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk WHERE day = '2030-01-01'"), "2");
    EXPECT_EQ(ledger.value("SELECT reasons IS NULL AND attempts IS NULL AND causes IS NULL AND "
                           "begun IS NULL FROM chunk WHERE number = 1"),
              "t");
    EXPECT_EQ(
        ledger.value("SELECT concat_ws(' ', chunks, chunks_done, planned, pending, sent, refused) "
                     "FROM job_progress"),
        "2 1 4 1 2 1");
}

TEST_F(ChunksTest, KeepProviderIdsAsTheyAre) {
    const auto job = accept("a");
    plan(job, {{"u1", "u2", "u3"}});
    auto entry = record_for(claim({key(job)}).at(0), bytes_of({sent, failed, sent}));
    entry.provider_ids = {R"(<2024"a,b\c{}@mail>)", "", "NULL"};
    ASSERT_THAT(record(entry), SizeIs(1));
    EXPECT_THAT(ledger.column("SELECT provider_id FROM delivery ORDER BY recipient"),
                ElementsAre(R"(<2024"a,b\c{}@mail>)", "null", "NULL"));
}

TEST_F(ChunksTest, CountEveryoneWhateverHappens) {
    std::mt19937 random{7};
    const auto below = [&](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
    };
    const auto job = accept("a");
    std::vector<std::vector<std::string>> groups;
    std::vector<ChunkKey> keys;
    for (std::int32_t i = 0; i < 20; ++i) {
        auto& group = groups.emplace_back();
        for (std::size_t n = 1 + below(5); n > 0; --n)
            group.push_back(fmt::format("u{:02}-{}", i, 9 - n));
        keys.push_back(key(job, i));
    }
    plan(job, groups, DoubtPolicy::resend);
    for (std::int64_t round = 1; round <= 12; ++round) {
        auto chunks = claim(keys, round);
        for (auto& chunk : chunks) {
            if (below(5) == 0) continue;  // Its worker dies.
            for (auto& c : chunk.outcomes) {
                if (!is_final(static_cast<Outcome>(c))) c = static_cast<char>(below(outcome_count));
            }
            ASSERT_THAT(record(record_for(chunk, chunk.outcomes)), SizeIs(1));
        }
        expect_everyone_counted();
        ledger.advance(lease + std::chrono::seconds{1});
        for (auto& chunk : take_over_stalled(db(), 100, lease)) {
            ASSERT_THAT(record(record_for(chunk, chunk.outcomes)), SizeIs(1));
        }
        expect_everyone_counted();
    }
}

TEST_F(ChunksTest, TallyCountsEachOutcome) {
    const auto tally = count_outcomes(bytes_of({sent, sent, unknown, pending}));
    EXPECT_EQ(tally[1], 2);
    EXPECT_EQ(tally[13], 1);
    EXPECT_EQ(tally[0], 1);
}

TEST_F(ChunksTest, SpeakTheSameWordsInTheDatabase) {
    const auto words = ledger.column("SELECT name FROM outcome ORDER BY code");
    ASSERT_THAT(words, SizeIs(outcome_count));
    for (std::size_t i = 0; i < outcome_count; ++i) {
        EXPECT_EQ(words[i], to_string(static_cast<Outcome>(i)));
        EXPECT_EQ(ledger.value(fmt::format("SELECT final FROM outcome WHERE code = {}", i)),
                  is_final(static_cast<Outcome>(i)) ? "t" : "f");
    }
    const auto reasons = ledger.column("SELECT name FROM reason ORDER BY code");
    ASSERT_THAT(reasons, SizeIs(reason_count));
    for (std::size_t i = 0; i < reason_count; ++i) {
        EXPECT_EQ(reasons[i], to_string(static_cast<Reason>(i)));
    }
}

}  // namespace
}  // namespace fanfare::ledger
