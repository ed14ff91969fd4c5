// What operators hold back: nothing of it is claimed or begun, and nothing else waits for it.
#include "core/ledger/pauses.hpp"
#include "tests/integration/ledger_case.hpp"

#include "core/ledger/account_states.hpp"
#include "core/ledger/api_jobs.hpp"
#include "core/ledger/bucket.hpp"

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Outcome;

TimePoint now_of(test::TestLedger& ledger) {
    const auto ms = ledger.value("SELECT (extract(epoch FROM app_now()) * 1000)::bigint");
    return TimePoint{std::chrono::milliseconds{std::stoll(ms)}};
}

class PausesTest : public LedgerCase {
protected:
    PauseLine hold(Paused what, const std::string& name,
                   std::optional<std::chrono::seconds> lasts = std::nullopt) {
        PauseOrder order{
            {what, name}, std::nullopt, std::nullopt, "ada@host", "the provider asked"};
        if (lasts) order.until = now_of(ledger) + *lasts;
        return pause(db(), order).value();
    }
    std::string planned(const std::string& name, const std::string& kind = "show.reminder") {
        auto job = job_named(name);
        job.kind = kind;
        accept(job);
        plan(job.id, {{name + "1", name + "2"}});
        return job.id;
    }
    std::vector<std::string> jobs_overdue(std::int64_t room) {
        std::vector<std::string> jobs;
        for (const auto& one : overdue(room)) jobs.push_back(one.key.job);
        return jobs;
    }
};

TEST_F(PausesTest, NothingOfItIsClaimed) {
    const auto a = planned("a");
    const auto b = planned("b", "show.cancelled");
    for (const auto& target : {PauseTarget{Paused::job, a},
                               {Paused::kind, "shows/show.reminder"},
                               {Paused::channel, "email"},
                               {Paused::account, "mail"}}) {
        hold(target.what, target.name);
        EXPECT_THAT(claim({key(a)}, 1), IsEmpty()) << to_string(target.what);
        EXPECT_TRUE(resume(db(), target));
        EXPECT_FALSE(resume(db(), target)) << "there is none any more";
    }
    hold(Paused::job, a);
    hold(Paused::kind, "shows/other");
    hold(Paused::channel, "sms");
    hold(Paused::account, "other");
    EXPECT_THAT(claim({key(b)}, 2), SizeIs(1)) << "of all that nobody paused it is as ever";
    ASSERT_TRUE(resume(db(), {Paused::job, a}));
    EXPECT_THAT(claim({key(a)}, 3), SizeIs(1));
}

TEST_F(PausesTest, AMarkTellsOfIt) {
    const auto job = planned("a");
    const auto chunks = claim({key(job)});
    auto word = mark_for(chunks.at(0), bytes_of({pending, pending}));
    word.account = "mail";
    EXPECT_THAT(mark_chunks(db(), std::vector{word}).paused, IsEmpty());
    for (const auto& target : {PauseTarget{Paused::job, job},
                               {Paused::kind, "shows/show.reminder"},
                               {Paused::channel, "email"},
                               {Paused::account, "mail"}}) {
        hold(target.what, target.name);
        const auto marked = mark_chunks(db(), std::vector{word});
        EXPECT_THAT(marked.paused, ElementsAre(key(job))) << to_string(target.what);
        EXPECT_THAT(marked.keys, ElementsAre(key(job))) << "it is still theirs";
        ASSERT_TRUE(resume(db(), target));
    }
}

TEST_F(PausesTest, WhatALostAnswerClaimedIsTakenAndPutBack) {
    const auto job = planned("a");
    ASSERT_THAT(claim({key(job)}, 7), SizeIs(1));
    hold(Paused::job, job);
    const auto again = claim({key(job)}, 7);
    ASSERT_THAT(again, SizeIs(1)) << "or it would wait for its lease to run out";
    EXPECT_THAT(record(record_for(again[0], bytes_of({pending, pending}))), SizeIs(1));
    ASSERT_TRUE(resume(db(), {Paused::job, job}));
    EXPECT_THAT(claim({key(job)}, 8), SizeIs(1)) << "at once";
}

TEST_F(PausesTest, TheSweepPassesOverItAndGivesWhatComesAfter) {
    std::vector<std::string> paused;
    for (int i = 0; i < 3; ++i) paused.push_back(planned(fmt::format("p{}", i)));
    const auto other = planned("z", "show.cancelled");
    ledger.advance(republish_after + std::chrono::seconds{1});
    hold(Paused::kind, "shows/show.reminder");
    EXPECT_THAT(jobs_overdue(1), ElementsAre(other)) << "though the others are due longer";
    EXPECT_THAT(jobs_overdue(10), IsEmpty()) << "they are not handed round meanwhile";
    ASSERT_TRUE(resume(db(), {Paused::kind, "shows/show.reminder"}));
    EXPECT_THAT(jobs_overdue(10), SizeIs(3)) << "and come at once when they may";
    for (const auto& job : paused) hold(Paused::job, job);
    ledger.advance(republish_after + std::chrono::seconds{1});
    EXPECT_THAT(jobs_overdue(10), ElementsAre(other));
}

TEST_F(PausesTest, WhatIsOverIsSettledAllTheSame) {
    const auto job = planned("a");
    hold(Paused::job, job);
    hold(Paused::channel, "email");
    ASSERT_TRUE(cancel_wherever(db(), job, std::nullopt));
    const auto ended = claim_of_ended_jobs(db(), 10, lease);
    ASSERT_THAT(ended, SizeIs(1));
    EXPECT_TRUE(ended[0].job_cancelled);
}

TEST_F(PausesTest, EndsByItself) {
    const auto job = planned("a");
    const auto line = hold(Paused::job, job, std::chrono::seconds{60});
    EXPECT_FALSE(line.until.empty());
    EXPECT_THAT(claim({key(job)}), IsEmpty());
    EXPECT_THAT(read_fleet_state(db()).paused, SizeIs(1));
    ledger.advance(std::chrono::seconds{61});
    EXPECT_THAT(list_pauses(db()), IsEmpty());
    EXPECT_THAT(read_fleet_state(db()).paused, IsEmpty());
    EXPECT_FALSE(resume(db(), {Paused::job, job})) << "it was over";
    EXPECT_THAT(claim({key(job)}), SizeIs(1));
}

TEST_F(PausesTest, PausedAgainKeepsSinceWhenAndTakesTheNewEnd) {
    const auto first = hold(Paused::channel, "email", std::chrono::seconds{60});
    ledger.advance(std::chrono::seconds{30});
    const auto second = hold(Paused::channel, "email");
    EXPECT_EQ(second.id, first.id);
    EXPECT_EQ(second.since, first.since);
    EXPECT_EQ(second.until, "");
    EXPECT_THAT(list_pauses(db()), SizeIs(1));
    hold(Paused::channel, "email", std::chrono::seconds{60});
    ledger.advance(std::chrono::seconds{61});
    EXPECT_NE(hold(Paused::channel, "email").since, first.since) << "the one before was over";
}

TEST_F(PausesTest, AJobKnowsWhatHoldsItBack) {
    const auto job = planned("a");
    hold(Paused::job, job);
    hold(Paused::kind, "shows/show.reminder");
    hold(Paused::channel, "email");
    hold(Paused::channel, "push");
    PauseOrder account{{Paused::account, "texts"}, Channel::sms, std::nullopt, "ada", "slow"};
    pause(db(), account);
    account = {{Paused::account, "mail"}, Channel::email, std::nullopt, "ada", "slow"};
    pause(db(), account);
    std::vector<std::string> names;
    for (const auto& line : find_pauses(list_pauses(db()), job, "shows/show.reminder", {"email"})) {
        names.push_back(line.target.name);
    }
    EXPECT_THAT(names, ElementsAre(job, "shows/show.reminder", "email", "mail"));
    EXPECT_THAT(find_pauses(list_pauses(db()), "other", "shows/other", {}), IsEmpty());
}

class AccountStatesTest : public LedgerCase {
protected:
    AccountState state(const std::string& account) {
        for (auto& each : account_states(db())) {
            if (each.account == account) return each;
        }
        return {};
    }
};

TEST_F(AccountStatesTest, ARateByHandHoldsUntilItIsTakenBack) {
    set_rate(db(), "mail", 50, "ada");
    set_rate(db(), "mail", 20, "bea");
    EXPECT_THAT(rates_by_hand(db()), ElementsAre(std::pair{"mail", 20.0}));
    EXPECT_THAT(read_fleet_state(db()).rates, ElementsAre(std::pair{"mail", 20.0}));
    EXPECT_EQ(state("mail").by_hand, 20);
    EXPECT_EQ(state("mail").set_by, "bea");
    EXPECT_TRUE(clear_rate(db(), "mail"));
    EXPECT_FALSE(clear_rate(db(), "mail"));
    EXPECT_THAT(rates_by_hand(db()), IsEmpty());
}

TEST_F(AccountStatesTest, WhatASlowRateReservedAheadIsLetGo) {
    std::ignore = reserve_slice(db(), "mail", 1, 600);
    EXPECT_GT(reserve_slice(db(), "mail", 1, 1).begins_in, std::chrono::seconds{20});
    set_rate(db(), "mail", 1000, "ada");
    EXPECT_LE(reserve_slice(db(), "mail", 1000, 1).begins_in, std::chrono::seconds{1});
}

TEST_F(AccountStatesTest, AllWorkersTogether) {
    const std::vector<AccountHealth> first{{.account = "mail",
                                            .breaker = "closed",
                                            .shut_for = {},
                                            .last_error = "HTTP 500",
                                            .last_error_at = now_of(ledger),
                                            .per_second = 40}};
    tell_health(db(), "w1", first);
    EXPECT_EQ(find_health(state("mail"), false), "ok");
    ledger.advance(std::chrono::seconds{1});
    const std::vector<AccountHealth> second{{.account = "mail",
                                             .breaker = "open",
                                             .shut_for = std::chrono::seconds{30},
                                             .last_error = "HTTP 503",
                                             .last_error_at = now_of(ledger),
                                             .per_second = 2.5}};
    tell_health(db(), "w2", second);
    auto now = state("mail");
    EXPECT_EQ(now.breaker, "open");
    EXPECT_EQ(now.per_second, 42.5);
    EXPECT_EQ(now.last_error, "HTTP 503");
    EXPECT_FALSE(now.shut_until.empty());
    EXPECT_EQ(find_health(now, false), "failing");
    EXPECT_EQ(find_health(now, true), "paused");
    ledger.advance(std::chrono::seconds{60});
    now = state("mail");
    EXPECT_EQ(now.breaker, "closed") << "nobody has said for long that it is shut";
    EXPECT_EQ(now.per_second, 0);
    EXPECT_EQ(find_health(now, false), "ok");
    EXPECT_EQ(find_health(state("other"), false), "unused");
    ledger.advance(std::chrono::hours{25});
    tell_health(db(), "w3", first);
    EXPECT_EQ(ledger.value("SELECT count(*) FROM account_health"), "1") << "workers that are gone";
}

}  // namespace
}  // namespace fanfare::ledger
