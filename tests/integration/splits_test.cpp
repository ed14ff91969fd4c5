// Quiet hours and caps in the ledger.
#include "core/ledger/splits.hpp"

#include "core/ledger/caps.hpp"
#include "core/ledger/progress.hpp"
#include "core/wire/timestamp.hpp"
#include "ledger_case.hpp"

#include <atomic>
#include <thread>

namespace fanfare::ledger {
namespace {

using enum Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

class SplitsTest : public LedgerCase {
protected:
    static TimePoint in(std::chrono::hours hours) {
        return *parse_timestamp("2030-01-01T12:00:00Z") + hours;
    }
    ClaimedChunk claimed(const std::string& job, std::int32_t number = 0) {
        auto chunks = claim({key(job, number)}, 7 + number);
        EXPECT_THAT(chunks, SizeIs(1));
        return std::move(chunks.at(0));
    }
    std::vector<std::string> chunks() {
        return ledger.column(
            "SELECT concat_ws(' ', number, state, size, recipients, "
            "(extract(epoch FROM next_at - timestamptz '2030-01-01 12:00Z') / 3600)::int || 'h') "
            "FROM chunk ORDER BY number");
    }
};

TEST_F(SplitsTest, WhoWaitsLeavesAndWhoStaysKeepsTheClaim) {
    const auto job = accept("night");
    plan(job, {{"a", "b", "c", "d", "e"}});
    auto chunk = claimed(job);
    const std::vector<Split> splits{{in(1h), {1, 3}}, {in(8h), {4}}};
    ASSERT_TRUE(split_chunk(db(), chunk, chunk, splits));
    EXPECT_THAT(chunk.recipients.elements, ElementsAre("a", "c"));
    EXPECT_EQ(chunk.recipients_literal, literal_of({"a", "c"}));
    EXPECT_THAT(record(record_for(chunk, bytes_of({sent, refused}))), SizeIs(1));
    EXPECT_THAT(chunks(), ElementsAre("0 done 2 {a,c} 0h", "2097152 planned 2 {b,d} 1h",
                                      "2097153 planned 1 {e} 8h"));
    EXPECT_EQ(ledger.value("SELECT planned[1] = 5 FROM job"), "t");
    EXPECT_THAT(audit(db(), job).differences, IsEmpty());
    EXPECT_THAT(overdue(10), IsEmpty());
    EXPECT_THAT(claim({key(job, split_begin)}), IsEmpty()) << "not before the hour";
    ledger.advance(1h);
    EXPECT_THAT(overdue(10), SizeIs(1));
    EXPECT_THAT(claim({key(job, split_begin)}), SizeIs(1));
    EXPECT_EQ(finish_jobs(db(), {}).size(), 0U) << "somebody still waits";
}

TEST_F(SplitsTest, RepeatedAfterALostAnswerItIsDoneOnce) {
    const auto job = accept("night");
    plan(job, {{"a", "b"}});
    auto chunk = claimed(job);
    ClaimedChunk again;
    again.key = chunk.key;
    again.epoch = chunk.epoch;
    again.outcomes = chunk.outcomes;
    postgres::parse_array(chunk.recipients_literal, again.recipients);
    const std::vector<Split> splits{{in(1h), {0}}};
    ASSERT_TRUE(split_chunk(db(), chunk, chunk, splits));
    ASSERT_TRUE(split_chunk(db(), again, again, splits));
    EXPECT_THAT(again.recipients.elements, ElementsAre("b"));
    EXPECT_THAT(chunks(), SizeIs(2));
}

TEST_F(SplitsTest, AChunkThatWasTakenOverIsNotSplit) {
    const auto job = accept("night");
    plan(job, {{"a", "b"}});
    auto chunk = claimed(job);
    ledger.advance(lease + 1s);
    ASSERT_THAT(take_over_stalled(db(), 10, lease), SizeIs(1));
    EXPECT_FALSE(split_chunk(db(), chunk, chunk, std::vector<Split>{{in(1h), {0}}}));
    EXPECT_THAT(chunks(), SizeIs(1));
}

class CapsTest : public SplitsTest {
protected:
    void send(const std::string& name, const std::vector<std::string>& people,
              const std::string& outcomes) {
        const auto job = accept(name);
        plan(job, {people});
        auto entry = record_for(claimed(job), outcomes);
        entry.counted = 24h;
        EXPECT_THAT(record(entry), SizeIs(1));
    }
    std::vector<std::string> take(const std::string& job, Channel channel,
                                  const std::vector<std::string>& people, std::int32_t count = 1) {
        auto over = take_places(db(), {"shows", "show.reminder", derived_id(job), count, 24h},
                                channel, holder(), literal_of(people));
        std::sort(over.begin(), over.end());
        return over;
    }
    /// Somebody who holds a chunk.
    const ChunkClaim& holder() {
        if (!holder_) holder_ = hold_a_chunk();
        return *holder_;
    }
    std::vector<std::string> over(std::int32_t count, const std::string& job = "next") {
        return over_cap(db(), {"shows", "show.reminder", derived_id(job), count, 24h},
                        literal_of({"a", "b", "c", "d"}));
    }

private:
    std::optional<ChunkClaim> holder_;
};

TEST_F(CapsTest, CountsTheJobsThatReachedAPersonOrMayHave) {
    send("one", {"a", "b", "c", "d"}, bytes_of({sent, unknown, refused, cancelled}));
    EXPECT_THAT(over(1), ElementsAre("a", "b"));
    EXPECT_THAT(over(2), IsEmpty());
    send("two", {"a", "c"}, bytes_of({delivered, sent}));
    EXPECT_THAT(over(2), ElementsAre("a"));
    EXPECT_THAT(over(1, "one"), ElementsAre("a", "c")) << "no job counts itself";
}

TEST_F(CapsTest, APlaceIsTakenBeforeAnythingIsSent) {
    EXPECT_THAT(take("one", Channel::email, {"a", "b"}), IsEmpty());
    EXPECT_THAT(take("two", Channel::email, {"a", "b", "c"}), ElementsAre("a", "b"));
    EXPECT_THAT(take("one", Channel::email, {"a", "b"}), IsEmpty()) << "the next pass of a chunk";
    EXPECT_THAT(take("one", Channel::sms, {"a", "c"}), ElementsAre("c"));
    EXPECT_THAT(take("three", Channel::email, {"a", "c"}, 2), IsEmpty());
    ledger.advance(24h + 1s);
    EXPECT_THAT(take("four", Channel::email, {"a", "b", "c"}), IsEmpty());
    EXPECT_THAT(take("one", Channel::email, {"a"}), IsEmpty()) << "begun, it is not broken off";
}

TEST_F(CapsTest, WhoHasLostTheChunkTakesNoPlace) {
    const auto job = accept("one");
    plan(job, {{"a", "b"}});
    const auto chunk = claimed(job);
    const CapQuestion question{"shows", "show.reminder", job, 1, 24h};
    ledger.advance(lease + 1s);
    ASSERT_THAT(take_over_stalled(db(), 10, lease), SizeIs(1));
    EXPECT_THAT(take_places(db(), question, Channel::email, chunk, "{a,b}"), IsEmpty());
    EXPECT_THAT(ledger.column("SELECT recipient FROM counted_send"), IsEmpty())
        << "nobody would give it back";
    EXPECT_THAT(take("two", Channel::email, {"a", "b"}), IsEmpty());
}

TEST_F(CapsTest, WhoWasNotToldGivesThePlaceBack) {
    const std::vector<std::string> people{"a", "b", "c", "d", "e"};
    EXPECT_THAT(take("one", Channel::email, people), IsEmpty());
    EXPECT_THAT(take("one", Channel::push, {"c"}), IsEmpty());
    send("one", people, bytes_of({refused, unknown, failed, retry, failed}));
    EXPECT_THAT(take("two", Channel::email, people), ElementsAre("b", "c", "d"))
        << "c is still to be told by push, d to be tried again";
}

TEST_F(CapsTest, OfManyJobsAtOnceAsManyGetAPlaceAsThereAre) {
    std::vector<std::string> people;
    for (int i = 0; i < 200; ++i) people.push_back(fmt::format("p{:03}", i));
    std::vector<std::thread> jobs;
    const auto claim = holder();
    std::atomic<std::size_t> refusals{0};
    for (int i = 0; i < 8; ++i) {
        jobs.emplace_back([&, i] {
            const auto connection = ledger.connect();
            const CapQuestion question{"shows", "show.reminder", derived_id(fmt::format("{}", i)),
                                       3, 24h};
            refusals +=
                take_places(*connection, question, Channel::email, claim, literal_of(people))
                    .size();
        });
    }
    for (auto& job : jobs) job.join();
    EXPECT_EQ(refusals, 5 * people.size());
    EXPECT_THAT(ledger.column("SELECT DISTINCT count(*) FROM counted_send GROUP BY recipient"),
                ElementsAre("3"));
}

TEST_F(CapsTest, ForgetsWhatIsOlderThanTheWindow) {
    send("one", {"a", "b"}, bytes_of({sent, sent}));
    ledger.advance(24h + 1s);
    EXPECT_THAT(over(1), IsEmpty());
    send("two", {"a"}, bytes_of({sent}));
    EXPECT_THAT(ledger.column("SELECT recipient FROM counted_send ORDER BY sent_at"),
                ElementsAre("b", "a"));
}

TEST_F(CapsTest, WhatWasNotWrittenDoesNotCount) {
    const auto job = accept("one");
    plan(job, {{"a"}});
    auto entry = record_for(claimed(job), bytes_of({sent}));
    entry.counted = 24h;
    entry.epoch += 1;
    entry.token += 1;
    EXPECT_THAT(record(entry), IsEmpty());
    EXPECT_THAT(over(1), IsEmpty());
}

}  // namespace
}  // namespace fanfare::ledger
