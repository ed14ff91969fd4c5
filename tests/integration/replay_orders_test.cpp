// Who orders which replay, how far it is, and whom it would choose.
#include "core/ledger/replay_words.hpp"

#include "core/ledger/api_jobs.hpp"
#include "core/wire/timestamp.hpp"
#include "tests/integration/replays_case.hpp"

namespace fanfare::ledger {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Outcome;

TEST_F(ReplaysTest, OneThatIsBrokenOffGoesOnUnderItsKey) {
    settled("a", {{{"a", failed}}});
    settled("b", {{{"b", failed}}});
    const auto order = order_of("one");
    const auto id = begin_replay(db(), order).id;
    const auto jobs = replayable_jobs(db(), order);
    ASSERT_THAT(jobs, SizeIs(2));
    EXPECT_EQ(replay_job(db(), id, order, jobs[0]).people, 1);
    EXPECT_EQ(begin_replay(db(), order).id, id);
    EXPECT_EQ(replay_job(db(), id, order, jobs[0]).people, 0) << "the same job a second time";
    EXPECT_THAT(replay(order), SizeIs(1)) << "and the other";
    EXPECT_EQ(list_replays(db(), {}, 9).at(0).people, 2);
}

TEST_F(ReplaysTest, UnderOneKeyThereIsOneOrder) {
    settled("a", {{{"a", failed}}});
    auto order = order_of("one");
    EXPECT_FALSE(begin_replay(db(), order).finished);
    EXPECT_TRUE(begin_replay(db(), order).same);
    order.ttl = 60s;
    EXPECT_FALSE(begin_replay(db(), order).same) << "another time to live";
    order.ttl.reset();
    order.filter.outcomes = {failed, refused};
    EXPECT_FALSE(begin_replay(db(), order).same) << "other people";
    order.filter.outcomes = {failed};
    EXPECT_THAT(replay(order), SizeIs(1));
    EXPECT_TRUE(begin_replay(db(), order).finished);
    EXPECT_TRUE(begin_replay(db(), order).same);
}

TEST_F(ReplaysTest, OfTheUnattendedWhatIsOpenIsKnownAsItWasOrdered) {
    const auto job = settled("a", {{{"a", failed, Reason::account_unusable}}});
    static_cast<void>(begin_replay(db(), order_of("at a terminal")));
    auto order = order_of("by a program", {failed, expired});
    order.unattended = true;
    order.ttl = 90s;
    order.filter.jobs = {job};
    order.filter.system = "shows";
    order.filter.kind = "show.reminder";
    order.filter.subject = "s1";
    order.filter.systems = {"shows"};
    order.filter.sources = {"o'brien \"x\"", "test"};
    order.filter.channel = Channel::email;
    order.filter.account = "mail";
    order.filter.reasons = {Reason::account_unusable};
    order.filter.since = parse_timestamp("2026-01-01T00:00:00Z");
    order.filter.until = parse_timestamp("2036-01-01T00:00:00Z");
    const auto id = begin_replay(db(), order).id;
    const auto open = open_replays(db(), 9);
    ASSERT_THAT(open, SizeIs(1));
    EXPECT_EQ(open[0].id, id);
    EXPECT_EQ(open[0].order.ttl, order.ttl);
    EXPECT_EQ(to_json(open[0].order.filter), to_json(order.filter));
    end_replay(db(), id, 3);
    EXPECT_THAT(open_replays(db(), 9), IsEmpty());
    EXPECT_EQ(list_replays(db(), {}, 9).at(0).held, 3);
}

TEST_F(ReplaysTest, WhoeverOrdersReplaysOnlyWhatTheySee) {
    settled("a", {{{"a", failed}}});
    auto order = order_of("one");
    order.filter.sources = {"somebody", "else"};
    EXPECT_THAT(replay(order), IsEmpty());
    EXPECT_THAT(count_replay(db(), order.filter), IsEmpty());
    order = order_of("two");
    order.filter.systems = {"tickets"};
    EXPECT_THAT(replay(order), IsEmpty());
    order = order_of("three");
    order.filter.systems = {"shows"};
    order.filter.sources = {"else", "test"};
    EXPECT_THAT(replay(order), SizeIs(1));
    EXPECT_THAT(list_replays(db(), {.sources = "{test,else,more}"}, 9), SizeIs(1));
    EXPECT_THAT(list_replays(db(), {.sources = "{test}"}, 9), IsEmpty()) << "others' too";
    EXPECT_THAT(list_replays(db(), {.systems = "{shows}"}, 9), SizeIs(1));
    EXPECT_THAT(list_replays(db(), {}, 9), SizeIs(3));
    const auto last = list_replays(db(), {}, 1).at(0).id;
    EXPECT_THAT(list_replays(db(), {.before = last}, 9), SizeIs(2));
    EXPECT_THAT(list_replays(db(), {.only = last}, 9), SizeIs(1));
}

/// People of jobs about the same, one after the other.
class LaterJobsTest : public ReplaysTest {
protected:
    std::string about(const std::string& name, const std::string& subject,
                      const std::vector<std::vector<Person>>& chunks) {
        const auto job = settled(name, chunks);
        pqxx::nontransaction{db().raw()}.exec_params(
            "UPDATE job SET subject = $2, created_at = created_at + $3 * interval '1 s' "
            "WHERE id = $1::uuid",
            job, subject, ++jobs_);
        return job;
    }
    struct Sums {
        std::int64_t people = 0, told = 0;
    };
    Sums counted(const ReplayOrder& order) {
        Sums sums;
        for (const auto& count : count_replay(db(), order.filter)) {
            sums.people += count.people;
            sums.told += count.told_since;
        }
        return sums;
    }

private:
    int jobs_ = 0;
};

TEST_F(LaterJobsTest, WhoWasToldSinceByALaterOneIsLeftOut) {
    about("before", "s1", {{{"c", sent}}});
    const auto job = about(
        "a", "s1", {{{"a", failed}, {"b", failed}, {"c", failed}}, {{"d", failed}, {"e", failed}}});
    about("b", "s1", {{{"a", sent}, {"b", failed}, {"d", unknown, Reason::answer_lost}}});
    about("other", "s2", {{{"e", sent}}});
    auto order = order_of("one");
    order.filter.jobs = {job};
    const auto sums = counted(order);
    EXPECT_EQ(sums.people, 3);
    EXPECT_EQ(sums.told, 2);
    const auto jobs = replay(order);
    ASSERT_THAT(jobs, SizeIs(1));
    EXPECT_THAT(people_of(jobs[0]), ElementsAre("b", "c", "e"));
    EXPECT_EQ(outcomes_of(job), "failed replayed replayed failed replayed");
    expect_everyone_counted();
}

TEST_F(LaterJobsTest, OfOneChainNobodyIsToldByALaterJob) {
    const auto job = about("a", "s1", {{{"a", failed}, {"b", failed}}});
    auto one = order_of("one");
    const auto next = replay(one).at(0);
    const auto claimed = claim({key(next)});
    EXPECT_THAT(record(record_for(claimed.at(0), bytes_of({sent, failed}))), SizeIs(1));
    finish_jobs(db(), {});
    about("b", "s1", {{{"b", sent}}});
    EXPECT_EQ(counted(order_of("two")).told, 1) << "later than the first of the chain";
    EXPECT_THAT(replay(order_of("two")), IsEmpty());
}

TEST_F(ReplaysTest, ChosenPeopleAreThoseWhoAreThenTakenOver) {
    const auto job = settled(
        "a", {{{"a", failed}, {"b", sent}}, {{"c", failed}, {"d", failed}}, {{"e", failed}}});
    const auto order = order_of("one");
    const auto all = chosen_people(db(), order.filter, job, 9);
    ASSERT_THAT(all, SizeIs(3));
    EXPECT_THAT(all[1].recipients, ElementsAre("c", "d"));
    EXPECT_THAT(chosen_people(db(), order.filter, job, 2), SizeIs(2)) << "whole chunks";
    pqxx::nontransaction{db().raw()}.exec("UPDATE chunk SET state = 'claimed' WHERE number = 0");
    EXPECT_THAT(chosen_people(db(), order.filter, job, 9), SizeIs(2));
    std::int64_t held = 0;
    for (const auto& count : count_replay(db(), order.filter)) held += count.held;
    EXPECT_EQ(held, 1);
}

TEST_F(ReplaysTest, ANumberOfNoReplayIsNone) {
    for (const std::int64_t number : {std::int64_t{1}, std::int64_t{11'275'587'463'856}}) {
        EXPECT_THAT(
            list_replays(db(), {.systems = "", .sources = "", .before = 0, .only = number}, 9),
            IsEmpty());
        EXPECT_THAT(
            list_replays(db(), {.systems = "", .sources = "", .before = number, .only = 0}, 9),
            IsEmpty());
    }
}

}  // namespace
}  // namespace fanfare::ledger
