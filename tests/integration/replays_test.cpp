// Exactly the chosen people again, and nobody twice.
#include "core/ledger/api_jobs.hpp"
#include "core/ledger/caps.hpp"
#include "core/ledger/progress.hpp"
#include "core/ledger/receipts.hpp"
#include "core/wire/timestamp.hpp"
#include "tests/integration/replays_case.hpp"

#include <pqxx/transaction>

#include <future>

namespace fanfare::ledger {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Outcome;

TEST_F(ReplaysTest, TakesOverWhoIsChosenAndNobodyElse) {
    const auto job = settled("a", {{{"a", sent}, {"b", failed, Reason::attempts_exhausted}},
                                   {{"c", refused}, {"d", failed, Reason::request_refused}}});
    const auto other = settled("b", {{{"x", sent}}});
    auto order = order_of("one");
    const auto jobs = replay(order);
    ASSERT_THAT(jobs, SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "sent replayed refused replayed");
    EXPECT_EQ(outcomes_of(other), "sent");
    EXPECT_THAT(people_of(jobs[0]), ElementsAre("b", "d"));
    EXPECT_EQ(outcomes_of(jobs[0]), "pending pending");
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk WHERE job_id = '" + jobs[0] + "'"), "1")
        << "neighbours share a chunk";
    expect_everyone_counted();
    const auto known = find_replays(db(), job);
    ASSERT_THAT(known, SizeIs(1));
    EXPECT_EQ(known[0].job, jobs[0]);
    EXPECT_EQ(known[0].people, 2);
    EXPECT_THAT(replay(order_of("two")), IsEmpty()) << "they are the new job's";
    const auto lines = list_replays(db(), {}, 9);
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_EQ(lines[1].people, 2);
    EXPECT_EQ(lines[1].because, "to see");
}

TEST_F(ReplaysTest, OfTheNewJobPeopleAreClaimedAndSentAsOfAny) {
    settled("a", {{{"a", failed}, {"b", failed}}});
    const auto jobs = replay(order_of("one"));
    ASSERT_THAT(jobs, SizeIs(1));
    EXPECT_THAT(overdue(9), SizeIs(1)) << "at once";
    const auto claimed = claim({key(jobs[0])});
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_THAT(record(record_for(claimed[0], bytes_of({sent, failed}))), SizeIs(1));
    EXPECT_EQ(finish_jobs(db(), {}).size(), 1U);
    const auto again = replay(order_of("two"));
    ASSERT_THAT(again, SizeIs(1)) << "a chain";
    EXPECT_THAT(people_of(again[0]), ElementsAre("b"));
    expect_everyone_counted();
}

TEST_F(ReplaysTest, FiltersByReasonAndTime) {
    const auto job = settled("a", {{{"a", failed, Reason::request_refused},
                                    {"b", failed, Reason::account_unusable},
                                    {"c", unknown, Reason::answer_lost}}});
    auto by_reason = order_of("reason");
    by_reason.filter.reasons = {Reason::account_unusable};
    EXPECT_THAT(replay(by_reason), SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "failed replayed unknown");
    auto too_late = order_of("time");
    too_late.filter.since = parse_timestamp(
        ledger.value("SELECT to_char((app_now() + interval '1 h') AT TIME ZONE 'UTC', "
                     "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"));
    ASSERT_TRUE(too_late.filter.since);
    EXPECT_THAT(replay(too_late), IsEmpty());
    auto by_channel = order_of("channel", {failed, unknown});
    by_channel.filter.channel = Channel::sms;
    EXPECT_THAT(replay(by_channel), IsEmpty());
    by_channel.filter.channel = Channel::email;
    EXPECT_THAT(replay(by_channel), SizeIs(1));
    EXPECT_EQ(outcomes_of(job), "replayed replayed replayed");
}

TEST_F(ReplaysTest, WhoIsInAWorkersHandsStaysThere) {
    const auto job = settled("a", {{{"a", failed}, {"b", failed}}});
    pqxx::nontransaction{db().raw()}.exec("UPDATE chunk SET state = 'claimed'");
    const auto order = order_of("one");
    const auto id = begin_replay(db(), order).id;
    const auto done = replay_job(db(), id, order, job);
    EXPECT_EQ(done.job, "");
    EXPECT_EQ(done.held, 2);
    EXPECT_EQ(outcomes_of(job), "failed failed");
}

TEST_F(ReplaysTest, WhatHasExpiredNeedsANewTimeToLive) {
    const auto job = settled("a", {{{"a", expired}}});
    pqxx::nontransaction{db().raw()}.exec("UPDATE job SET expires_at = app_now()");
    auto order = order_of("one", {expired});
    auto counts = count_replay(db(), order.filter);
    ASSERT_THAT(counts, SizeIs(1));
    EXPECT_TRUE(counts[0].has_expired);
    EXPECT_THAT(replay(order), IsEmpty());
    order.ttl = 60s;
    const auto jobs = replay(order);
    ASSERT_THAT(jobs, SizeIs(1));
    EXPECT_EQ(
        ledger.value("SELECT expires_at = app_now() + interval '1 min' FROM job WHERE id = '" +
                     jobs[0] + "'"),
        "t");
    EXPECT_TRUE(std::holds_alternative<Job>(decode_job(load_job(db(), jobs[0])->body)));
}

TEST_F(ReplaysTest, TwoAtOnceTakeEachPersonOnce) {
    std::vector<std::vector<Person>> chunks(40);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        for (char c = 'a'; c < 'k'; ++c) {
            chunks[i].push_back({fmt::format("p{:02}{}", i, c), c < 'd' ? failed : sent});
        }
    }
    const auto job = settled("a", chunks);
    std::vector<std::future<std::vector<std::string>>> both;
    for (const auto* const key : {"one", "two"}) {
        both.push_back(std::async(std::launch::async, [this, key] {
            const auto own = ledger.connect();
            return replay(*own, order_of(key));
        }));
    }
    std::size_t people = 0;
    for (auto& one : both) {
        for (const auto& taken : one.get()) people += people_of(taken).size();
    }
    EXPECT_EQ(people, 120U);
    expect_everyone_counted();
}

TEST_F(ReplaysTest, ADryRunsNumbersAreWhatThenHappens) {
    settled("a", {{{"a", failed}, {"b", refused, Reason::address_invalid}, {"c", sent}},
                  {{"d", refused, Reason::address_invalid}}});
    // Their kind has turned to another channel for one of them.
    pqxx::nontransaction{db().raw()}.exec(
        "INSERT INTO chunk (job_id, channel, number, on_doubt, lane, publish_at, size, recipients) "
        "SELECT id, 1, 0, 0, 1, app_now(), 1, '{b}' FROM job; "
        "UPDATE job SET planned[2] = 1");
    const auto order = order_of("one", {failed, refused});
    std::int64_t people = 0, elsewhere = 0;
    for (const auto& count : count_replay(db(), order.filter)) {
        people += count.people;
        elsewhere += count.elsewhere;
    }
    EXPECT_EQ(people, 2);
    EXPECT_EQ(elsewhere, 1);
    const auto jobs = replay(order);
    ASSERT_THAT(jobs, SizeIs(1));
    EXPECT_THAT(people_of(jobs[0]), ElementsAre("a", "d"));
}

class ReceiptsOfReplaysTest : public ReplaysTest {
protected:
    ReceiptsOfReplaysTest() {
        job = settled("a", {{{"a", unknown, Reason::answer_lost}, {"b", sent}}});
        next = replay(order_of("one", {unknown})).at(0);
    }
    ReceiptTally hear(ReceiptEvent event) {
        ReceiptBatch batch;
        batch.job = job;
        batch.channel = Channel::email;
        batch.chunk = 0;
        Receipt receipt;
        receipt.event = event;
        receipt.reference.position = 0;
        batch.receipts.push_back(receipt);
        return apply_receipts(db(), std::vector{batch});
    }
    std::string job, next;
};

TEST_F(ReceiptsOfReplaysTest, OneThatComesFirstTakesThePersonOut) {
    EXPECT_EQ(hear(ReceiptEvent::delivered).raised, 1U);
    EXPECT_EQ(outcomes_of(next), "delivered");
    EXPECT_EQ(outcomes_of(job), "replayed sent");
    const auto claimed = claim({key(next)});
    EXPECT_THAT(claimed, SizeIs(1));
    EXPECT_EQ(claimed[0].outcomes, bytes_of({delivered})) << "nobody is asked for";
}

TEST_F(ReceiptsOfReplaysTest, WhatFailedBeforeSaysNothingOfTheNewTry) {
    for (const auto event : {ReceiptEvent::hard_bounced, ReceiptEvent::soft_bounced,
                             ReceiptEvent::failed, ReceiptEvent::expired}) {
        EXPECT_EQ(hear(event).raised, 0U) << to_string(event);
        EXPECT_EQ(outcomes_of(next), "pending")
            << to_string(event) << ": they are still to be told";
    }
    EXPECT_EQ(hear(ReceiptEvent::complained).raised, 1U) << "whoever complains has it";
    EXPECT_EQ(hear(ReceiptEvent::hard_bounced).raised, 0U);
    EXPECT_EQ(outcomes_of(next), "delivered");
}

TEST_F(ReceiptsOfReplaysTest, OneThatComesWhileTheyAreServedWaitsForTheRecord) {
    const auto claimed = claim({key(next)});
    EXPECT_EQ(hear(ReceiptEvent::delivered).early, 1U);
    EXPECT_THAT(record(record_for(claimed.at(0), bytes_of({sent}))), SizeIs(1));
    EXPECT_EQ(apply_early_receipts(db(), 10).raised, 1U);
    EXPECT_EQ(outcomes_of(next), "delivered");
}

TEST_F(ReceiptsOfReplaysTest, OneGoesThroughAChainOfThree) {
    const auto claimed = claim({key(next)});
    auto doubtful = record_for(claimed.at(0), bytes_of({unknown}));
    doubtful.reasons = reasons_of({Reason::answer_lost});
    EXPECT_THAT(record(doubtful), SizeIs(1));
    finish_jobs(db(), {});
    const auto third = replay(order_of("two", {unknown})).at(0);
    EXPECT_EQ(load_job(db(), third)->origin, job);
    EXPECT_EQ(hear(ReceiptEvent::delivered).raised, 1U) << "about the first try";
    EXPECT_EQ(outcomes_of(job), "replayed sent");
    EXPECT_EQ(outcomes_of(next), "replayed");
    EXPECT_EQ(outcomes_of(third), "delivered");
    EXPECT_THAT(replay(order_of("three", {unknown})), IsEmpty());
    expect_everyone_counted();
}

TEST_F(ReplaysTest, EndsWithTheNotificationThatItCameFrom) {
    const auto job = settled("a", {{{"a", failed}}});
    const auto next = replay(order_of("one")).at(0);
    pqxx::work work{db().raw()};
    EXPECT_EQ(stop_jobs(work, "{" + job + "}"), 1U);
    work.commit();
    EXPECT_EQ(load_job(db(), next)->state, "cancelled");
    EXPECT_EQ(load_job(db(), next)->origin, job);
    EXPECT_EQ(outcomes_of(next), "cancelled");
}

TEST_F(ReplaysTest, EndsWithTheJobThatItTookPeopleOf) {
    for (const bool by_api : {true, false}) {
        const auto name = by_api ? "a" : "b";
        const auto job = settled(name, {{{name, failed}}});
        auto order = order_of(name);
        order.filter.jobs = {job};
        const auto next = replay(order).at(0);
        EXPECT_TRUE(by_api ? cancel_wherever(db(), job, std::nullopt) : cancel_job(db(), job));
        EXPECT_EQ(load_job(db(), next)->state, "cancelled");
        EXPECT_FALSE(by_api ? cancel_wherever(db(), job, std::nullopt) : cancel_job(db(), job));
    }
}

TEST_F(ReplaysTest, EndsWithTheReplayThatItTookPeopleOf) {
    const auto job = settled("a", {{{"a", failed}, {"b", failed}}});
    auto order = order_of("first");
    order.filter.jobs = {job};
    const auto first = replay(order).at(0);
    const auto claimed = claim({key(first)});
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_THAT(record(record_for(claimed[0], bytes_of({failed, failed}))), SizeIs(1));
    EXPECT_EQ(finish_jobs(db(), {}).size(), 1U);
    order = order_of("second");
    order.filter.jobs = {first};
    const auto second = replay(order).at(0);
    EXPECT_EQ(load_job(db(), second)->origin, job);
    EXPECT_TRUE(cancel_job(db(), first));
    EXPECT_EQ(load_job(db(), second)->state, "cancelled");
    EXPECT_EQ(load_job(db(), first)->state, "done") << "it was over";
}

TEST_F(ReplaysTest, NobodyIsToldOnceMoreOfWhatIsCalledOff) {
    const auto cancelled = settled("a", {{{"a", failed}}});
    pqxx::nontransaction{db().raw()}.exec("UPDATE job SET state = 'cancelled'");
    const auto over = settled("b", {{{"b", failed}, {"c", sent}}});
    {
        pqxx::work work{db().raw()};
        EXPECT_EQ(stop_jobs(work, "{" + over + "}"), 0U) << "there is nothing to stop";
        work.commit();
    }
    EXPECT_EQ(load_job(db(), over)->state, "done");
    const auto order = order_of("one");
    const auto counts = count_replay(db(), order.filter);
    ASSERT_THAT(counts, SizeIs(2));
    for (const auto& count : counts) {
        EXPECT_EQ(count.people, 0);
        EXPECT_EQ(count.called_off, 1);
    }
    EXPECT_THAT(replay(order), IsEmpty());
    const auto id = begin_replay(db(), order_of("by name")).id;
    for (const auto& job : {cancelled, over}) {
        EXPECT_EQ(replay_job(db(), id, order, job).job, "");
    }
    EXPECT_EQ(outcomes_of(cancelled) + " " + outcomes_of(over), "failed failed sent");
}

TEST_F(ReplaysTest, WhoMayHaveBeenToldKeepsTheirPlaceUnderACap) {
    const auto job = accept("a");
    plan(job, {{"a", "b"}});
    const auto send = [&](const std::string& id, const std::string& outcomes) {
        const auto claimed = claim({key(id)});
        const CapQuestion question{"shows", "show.reminder", job, 1, 24h};
        EXPECT_THAT(take_places(db(), question, Channel::email, claimed.at(0), "{a,b}"), IsEmpty());
        auto entry = record_for(claimed.at(0), outcomes);
        entry.reasons = reasons_of({Reason::answer_lost, Reason::none});
        entry.counted = 24h;
        EXPECT_THAT(record(entry), SizeIs(1));
        finish_jobs(db(), {});
    };
    send(job, bytes_of({unknown, failed}));
    const auto jobs = replay(order_of("one", {failed, unknown}));
    ASSERT_THAT(jobs, SizeIs(1));
    send(jobs[0], bytes_of({failed, failed}));
    const CapQuestion next{"shows", "show.reminder", derived_id("next"), 1, 24h};
    EXPECT_THAT(over_cap(db(), next, "{a,b}"), ElementsAre("a")) << "the first job may have told a";
}

TEST_F(ReplaysTest, HoldsBackNobodyWhoSends) {
    const auto job = settled("a", {{{"a", failed}}, {{"b", failed}}});
    pqxx::nontransaction{db().raw()}.exec("UPDATE chunk SET state = 'claimed' WHERE number = 1");
    const auto worker = ledger.connect();
    pqxx::work recording{worker->raw()};
    recording.exec("SELECT FROM chunk WHERE number = 1 FOR UPDATE");
    const auto order = order_of("one");
    const auto done = replay_job(db(), begin_replay(db(), order).id, order, job);
    EXPECT_EQ(done.people, 1);
    EXPECT_EQ(done.held, 1);
}

TEST_F(ReplaysTest, WhenSomebodyFailedIsNotWhenANeighbourOpened) {
    const auto job = settled("a", {{{"a", failed}, {"b", sent}}});
    ledger.advance(2h);
    ReceiptBatch batch;
    batch.job = job;
    batch.channel = Channel::email;
    Receipt opening;
    opening.event = ReceiptEvent::opened;
    opening.reference.position = 1;
    batch.receipts.push_back(opening);
    EXPECT_EQ(apply_receipts(db(), std::vector{batch}).raised, 1U);
    auto lately = order_of("lately");
    const auto hour_ago = ledger.value(
        "SELECT to_char((app_now() - interval '1 h') AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
    lately.filter.since = parse_timestamp(hour_ago);
    EXPECT_THAT(count_replay(db(), lately.filter), IsEmpty());
    EXPECT_THAT(replay(lately), IsEmpty());
    auto before = order_of("before");
    before.filter.until = parse_timestamp(hour_ago);
    EXPECT_THAT(replay(before), SizeIs(1));
}

}  // namespace
}  // namespace fanfare::ledger
