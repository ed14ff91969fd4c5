#include "worker/send/settle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using enum Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string bytes_of(std::initializer_list<Outcome> outcomes) {
    std::string bytes;
    for (const auto outcome : outcomes) bytes.push_back(static_cast<char>(outcome));
    return bytes;
}

std::string bytes_of(std::initializer_list<Reason> reasons) {
    std::string bytes;
    for (const auto reason : reasons) bytes.push_back(static_cast<char>(reason));
    return bytes;
}

ledger::ClaimedChunk chunk_with(std::initializer_list<Outcome> outcomes,
                                DoubtPolicy on_doubt = DoubtPolicy::hold) {
    ledger::ClaimedChunk chunk;
    chunk.key = {"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::sms, 7};
    chunk.epoch = 3;
    chunk.on_doubt = on_doubt;
    chunk.outcomes = bytes_of(outcomes);
    chunk.reasons.assign(chunk.outcomes.size(), '\0');
    chunk.attempts.assign(chunk.outcomes.size(), '\1');
    chunk.causes.assign(chunk.outcomes.size(), '\0');
    chunk.begun.assign(chunk.outcomes.size(), '\0');
    return chunk;
}

/// People after a pass that came to `fates`.
struct Tried {
    Recipients people;
    Pass pass;
};

Tried tried_with(std::initializer_list<Outcome> outcomes, std::vector<Fate> fates) {
    Tried tried;
    static_cast<ledger::ChunkPeople&>(tried.people) = chunk_with(outcomes, DoubtPolicy::resend);
    tried.pass.resolved.fates = std::move(fates);
    return tried;
}

TEST(SettlePass, WritesWhatEveryoneCameTo) {
    auto tried = tried_with({pending, retry, pending, retry}, {{sent, Reason::none},
                                                               {failed, Reason::attempts_exhausted},
                                                               {retry, Reason::throttled},
                                                               {unknown, Reason::answer_lost}});
    settle_pass(tried.people, tried.pass);
    EXPECT_EQ(tried.people.outcomes, bytes_of({sent, failed, retry, unknown}));
    EXPECT_EQ(tried.people.reasons, bytes_of({Reason::none, Reason::attempts_exhausted,
                                              Reason::throttled, Reason::answer_lost}));
}

TEST(SettlePass, LeavesThoseWhoWereNotTried) {
    auto tried = tried_with({pending, retry}, {{}, {}});
    tried.people.reasons = bytes_of({Reason::none, Reason::throttled});
    settle_pass(tried.people, tried.pass);
    EXPECT_EQ(tried.people.outcomes, bytes_of({pending, retry}));
    EXPECT_EQ(tried.people.reasons, bytes_of({Reason::none, Reason::throttled}));
}

TEST(SettlePass, NeverTouchesAFinalOutcome) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        const auto before = static_cast<Outcome>(i);
        if (!is_final(before)) continue;
        auto tried = tried_with({before}, {{retry, Reason::throttled}});
        settle_pass(tried.people, tried.pass);
        EXPECT_EQ(tried.people.outcomes, bytes_of({before})) << to_string(before);
        EXPECT_EQ(tried.people.reasons, bytes_of({Reason::none})) << to_string(before);
    }
}

TEST(SettlePass, ClearsTheReasonOfAnEarlierTry) {
    auto tried = tried_with({retry}, {{sent, Reason::none}});
    tried.people.reasons = bytes_of({Reason::throttled});
    settle_pass(tried.people, tried.pass);
    EXPECT_EQ(tried.people.reasons, bytes_of({Reason::none}));
}

TEST(SettlePass, CountsAttemptsOnlyOfThoseItFailedAt) {
    auto tried = tried_with(
        {pending, pending, pending},
        {{retry, Reason::provider_unavailable}, {retry, Reason::throttled}, {sent, Reason::none}});
    tried.pass.spent = {0, 0};  // Two devices, or two halves of a call: one attempt.
    EXPECT_EQ(settle_pass(tried.people, tried.pass), 2);
    EXPECT_EQ(tried.people.attempts, (std::string{'\2', '\1', '\1'}))
        << "neither throttling nor other people's faults cost an attempt";
    EXPECT_EQ(settle_pass(tried.people, tried.pass), 0) << "the next pass failed at nobody";
    EXPECT_EQ(tried.people.attempts, (std::string{'\2', '\1', '\1'}));
}

/// One person's devices, in the order of their rows, and what each came to.
Tried devices_of(std::vector<Target> targets, std::vector<Fate> fates, Fate together) {
    auto tried = tried_with({pending}, {together});
    tried.pass.resolved.targets = std::move(targets);
    tried.pass.target_fates = std::move(fates);
    return tried;
}

TEST(SettlePass, DoubtAboutOneDeviceIsKeptBesideOneThatWasNotTried) {
    auto tried = devices_of({{0, 0, "a"}, {0, 1, "b"}, {0, 2, "c"}},
                            {{sent}, {pending}, {retry, Reason::answer_lost}}, {sent});
    settle_pass(tried.people, tried.pass);
    EXPECT_EQ(tried.people.reasons, bytes_of({Reason::answer_lost}));
    EXPECT_TRUE(is_in_doubt(tried.people)) << "it stays with the account that caused it";
}

TEST(ServedDevices, AreOnePersonsAndNotAnothers) {
    auto tried =
        devices_of({{0, 0, "a"}, {0, 1, "b"}}, {{sent}, {retry, Reason::throttled}}, {sent});
    settle_pass(tried.people, tried.pass);
    Resolved again;
    again.fates.assign(2, {});
    again.targets = {{0, 0, "a"}, {0, 1, "b"}, {1, 2, "a"}};
    leave_out_served(tried.people, again);
    ASSERT_EQ(again.targets.size(), 2U);
    EXPECT_EQ(again.targets[0].address, "b");
    EXPECT_EQ(again.targets[1].recipient, 1U) << "a phone that two people use";
}

TEST(ServedDevices, WhoHasTheSameOneTwiceIsTold) {
    auto tried = devices_of({{0, 0, "a"}, {0, 1, "a"}}, {{sent}, {pending}}, {sent});
    settle_pass(tried.people, tried.pass);
    Resolved again;
    again.fates.assign(1, {});
    again.targets = {{0, 0, "a"}, {0, 1, "a"}};
    leave_out_served(tried.people, again);
    EXPECT_TRUE(again.targets.empty());
    EXPECT_EQ(again.fates[0].outcome, sent) << "nothing is left to wait for";
}

TEST(ServedDevices, WhoseOnlyOneIsDeadIsNotAskedForAgainAndAgain) {
    auto tried = devices_of({{0, 0, "a"}, {0, 1, "a"}},
                            {{refused, Reason::address_invalid}, {retry, Reason::throttled}},
                            {retry, Reason::throttled});
    settle_pass(tried.people, tried.pass);
    Resolved again;
    again.fates.assign(1, {});
    again.targets = {{0, 0, "a"}, {0, 1, "a"}};
    leave_out_served(tried.people, again);
    EXPECT_EQ(again.fates[0].outcome, refused);
}

TEST(SettleRest, EndsEveryoneWhoIsStillOpen) {
    auto chunk = chunk_with({sent, pending, retry, refused, unknown});
    settle_rest(chunk, {cancelled, Reason::job_cancelled});
    EXPECT_EQ(chunk.outcomes, bytes_of({sent, cancelled, cancelled, refused, unknown}));
    EXPECT_EQ(chunk.reasons, bytes_of({Reason::none, Reason::job_cancelled, Reason::job_cancelled,
                                       Reason::none, Reason::none}));
    EXPECT_TRUE(is_settled(chunk));
}

TEST(SettlePass, DoubtIsNotForgotten) {
    auto tried = tried_with({retry, retry, retry, retry}, {{refused, Reason::address_invalid},
                                                           {opted_out, Reason::consent_withdrawn},
                                                           {retry, Reason::throttled},
                                                           {sent, Reason::none}});
    tried.people.reasons = bytes_of(
        {Reason::answer_lost, Reason::worker_lost, Reason::answer_unreadable, Reason::answer_lost});
    settle_pass(tried.people, tried.pass);
    EXPECT_EQ(tried.people.outcomes, bytes_of({unknown, unknown, retry, sent}));
    EXPECT_EQ(tried.people.reasons, bytes_of({Reason::answer_lost, Reason::worker_lost,
                                              Reason::answer_unreadable, Reason::none}));
    EXPECT_EQ(tried.people.causes, bytes_of({Reason::address_invalid, Reason::consent_withdrawn,
                                             Reason::throttled, Reason::none}));
    EXPECT_TRUE(is_in_doubt(tried.people)) << "and keeps its account";
}

TEST(SettleRest, LeavesDoubtWhatItIs) {
    auto chunk = chunk_with({retry, pending, retry, retry}, DoubtPolicy::resend);
    chunk.reasons = bytes_of(
        {Reason::answer_lost, Reason::worker_lost, Reason::not_sent, Reason::not_configured});
    settle_rest(chunk, {cancelled, Reason::job_cancelled});
    EXPECT_EQ(chunk.outcomes, bytes_of({unknown, unknown, cancelled, cancelled}))
        << "the provider may have taken it";
    EXPECT_EQ(chunk.reasons, bytes_of({Reason::answer_lost, Reason::worker_lost,
                                       Reason::job_cancelled, Reason::not_configured}));
    EXPECT_EQ(chunk.causes, bytes_of({Reason::job_cancelled, Reason::job_cancelled,
                                      Reason::not_sent, Reason::job_cancelled}));
}

TEST(GiveUp, SaysWhoseFaultItWas) {
    auto chunk = chunk_with({retry, pending, retry, sent}, DoubtPolicy::resend);
    chunk.reasons =
        bytes_of({Reason::provider_unavailable, Reason::none, Reason::answer_lost, Reason::none});
    give_up(chunk, Reason::account_unusable);
    EXPECT_EQ(chunk.outcomes, bytes_of({failed, failed, unknown, sent}));
    EXPECT_EQ(chunk.reasons, bytes_of({Reason::account_unusable, Reason::account_unusable,
                                       Reason::answer_lost, Reason::none}));
    EXPECT_EQ(chunk.causes, bytes_of({Reason::provider_unavailable, Reason::none,
                                      Reason::account_unusable, Reason::none}));
}

TEST(GiveUp, ForAnyOtherReasonSaysThatOne) {
    auto chunk = chunk_with({retry, pending, retry, sent}, DoubtPolicy::resend);
    chunk.reasons =
        bytes_of({Reason::provider_unavailable, Reason::none, Reason::answer_lost, Reason::none});
    give_up(chunk, Reason::query_failed);
    EXPECT_EQ(chunk.outcomes, bytes_of({failed, failed, unknown, sent}));
    EXPECT_EQ(chunk.reasons, bytes_of({Reason::query_failed, Reason::query_failed,
                                       Reason::answer_lost, Reason::none}));
    EXPECT_EQ(chunk.causes, bytes_of({Reason::provider_unavailable, Reason::none,
                                      Reason::query_failed, Reason::none}));
}

TEST(IsSettled, MeansThatNobodyIsOpen) {
    EXPECT_TRUE(is_settled(chunk_with({sent, unknown, failed, expired})));
    EXPECT_FALSE(is_settled(chunk_with({sent, pending})));
    EXPECT_FALSE(is_settled(chunk_with({retry, sent})));
    EXPECT_TRUE(is_settled(chunk_with({})));
}

class StalledUnderPolicy : public ::testing::TestWithParam<DoubtPolicy> {};

TEST_P(StalledUnderPolicy, OnlyWhoseRequestsMayHaveBegunAreInDoubt) {
    auto chunk = chunk_with({pending, retry, pending, retry, sent, refused}, GetParam());
    chunk.reasons[3] = static_cast<char>(Reason::throttled);
    chunk.begun = {1, 1, 0, 0, 1, 0};
    EXPECT_FALSE(settle_stalled(chunk)) << "somebody is to be sent to";
    EXPECT_EQ(chunk.outcomes.substr(2), bytes_of({pending, retry, sent, refused}));
    EXPECT_EQ(chunk.reasons.substr(2, 2), bytes_of({Reason::none, Reason::throttled}));
    EXPECT_EQ(chunk.reasons.substr(0, 2), bytes_of({Reason::worker_lost, Reason::worker_lost}));
    if (GetParam() == DoubtPolicy::resend) {
        EXPECT_EQ(chunk.outcomes.substr(0, 2), bytes_of({pending, retry})) << "sent again";
        EXPECT_TRUE(is_in_doubt(chunk)) << "by the account that may have sent before";
    } else {
        EXPECT_EQ(chunk.outcomes.substr(0, 2), bytes_of({unknown, unknown})) << "never sent again";
    }
}

TEST_P(StalledUnderPolicy, WhereNothingWasBegunNobodyIsInDoubt) {
    auto chunk = chunk_with({pending, retry, no_address}, GetParam());
    EXPECT_FALSE(settle_stalled(chunk));
    EXPECT_EQ(chunk.outcomes, bytes_of({pending, retry, no_address}));
    EXPECT_FALSE(is_in_doubt(chunk));
}

TEST_P(StalledUnderPolicy, ThatWasAllDoneIsSettled) {
    auto chunk = chunk_with({sent, failed}, GetParam());
    EXPECT_TRUE(settle_stalled(chunk));
    EXPECT_EQ(chunk.outcomes, bytes_of({sent, failed}));
}

TEST_P(StalledUnderPolicy, WaitsForTheWordOfWhoLostIt) {
    auto chunk = chunk_with({pending, pending}, GetParam());
    chunk.key.number = 0;
    chunk.begun = {1, 0};
    chunk.takeovers = 1;
    WorkerSettings settings;
    EXPECT_EQ(wait_of_stalled(chunk, settings), std::chrono::seconds{5});
    settings.lease = std::chrono::seconds{2};
    EXPECT_EQ(wait_of_stalled(chunk, settings), settings.lease);
    chunk.takeovers = 4;
    EXPECT_EQ(wait_of_stalled(chunk, settings), 8 * settings.backoff_first) << "it comes back";
    chunk.takeovers = 1;
    chunk.begun = {0, 0};
    EXPECT_EQ(wait_of_stalled(chunk, settings), settings.backoff_first) << "nothing was begun";
}

TEST(SettleStalled, TheNextClaimsOfNeighboursLieApart) {
    const WorkerSettings settings;
    std::set<std::chrono::milliseconds> waits;
    for (std::int32_t number = 0; number < 32; ++number) {
        auto chunk = chunk_with({pending});
        chunk.key.number = number;
        chunk.takeovers = 5;
        waits.insert(wait_of_stalled(chunk, settings));
    }
    EXPECT_EQ(waits.size(), 32U) << "who kills workers shows by itself";
    EXPECT_GE(*waits.begin(), 16 * settings.backoff_first);
    EXPECT_LE(*waits.rbegin(), 24 * settings.backoff_first);
}

INSTANTIATE_TEST_SUITE_P(Policies, StalledUnderPolicy,
                         ::testing::Values(DoubtPolicy::hold, DoubtPolicy::resend,
                                           DoubtPolicy::reconcile),
                         [](const auto& param) { return std::string{to_string(param.param)}; });

TEST(Record, CarriesTheFenceAndTheFates) {
    auto chunk = chunk_with({sent, retry});
    chunk.reasons = bytes_of({Reason::none, Reason::throttled});
    const auto record = to_record(chunk, chunk, "mail-eu", std::chrono::seconds{30});
    EXPECT_EQ(record.key,
              (ledger::ChunkKey{"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11", Channel::sms, 7}));
    EXPECT_EQ(record.epoch, 3);
    EXPECT_EQ(record.attempts, (std::string{'\1', '\1'}));
    EXPECT_FALSE(record.done);
    EXPECT_EQ(record.next_in, std::chrono::seconds{30});
    EXPECT_EQ(record.outcomes, bytes_of({sent, retry}));
    EXPECT_EQ(record.reasons, bytes_of({Reason::none, Reason::throttled}));
    EXPECT_EQ(record.account, "mail-eu");
}

TEST(Record, OfASettledChunkIsDoneAndWaitsForNothing) {
    auto chunk = chunk_with({sent, unknown});
    const auto record = to_record(chunk, chunk, "a", std::chrono::seconds{30});
    EXPECT_TRUE(record.done);
    EXPECT_EQ(record.next_in, std::chrono::milliseconds{0});
}

TEST(Record, KeepsOneProviderIdForAllOnce) {
    auto chunk = chunk_with({sent, refused, sent});
    chunk.provider_ids = {"call-1", "", "call-1"};
    EXPECT_THAT(to_record(chunk, chunk, "a", {}).provider_ids, ElementsAre("call-1"));
}

TEST(Record, KeepsAProviderIdForEachWhereTheyDiffer) {
    auto chunk = chunk_with({sent, refused, sent});
    chunk.provider_ids = {"call-1", "", "call-2"};
    EXPECT_THAT(to_record(chunk, chunk, "a", {}).provider_ids, ElementsAre("call-1", "", "call-2"));
}

TEST(Record, KeepsNoProviderIdsWhereThereAreNone) {
    auto none = chunk_with({failed, failed});
    EXPECT_THAT(to_record(none, none, "a", {}).provider_ids, IsEmpty());
    auto empty = chunk_with({failed, failed});
    empty.provider_ids = {"", ""};
    EXPECT_THAT(to_record(empty, empty, "a", {}).provider_ids, IsEmpty());
}

TEST(SettleOver, EndsWhoIsOpenByWhatTheClaimSays) {
    auto chunk = chunk_with({pending, sent, retry});
    EXPECT_FALSE(settle_over(chunk));
    EXPECT_EQ(chunk.outcomes, bytes_of({pending, sent, retry}));
    chunk.job_expired = true;
    EXPECT_TRUE(settle_over(chunk));
    EXPECT_EQ(chunk.outcomes, bytes_of({expired, sent, expired}));
    auto both = chunk_with({pending, sent, retry});
    both.job_expired = both.job_cancelled = true;
    EXPECT_TRUE(settle_over(both));
    EXPECT_EQ(both.outcomes, bytes_of({cancelled, sent, cancelled}));
}

TEST(SettleOver, KeepsDoubt) {
    auto chunk = chunk_with({retry}, DoubtPolicy::resend);
    chunk.reasons = bytes_of({Reason::answer_lost});
    chunk.job_cancelled = true;
    settle_over(chunk);
    EXPECT_EQ(chunk.outcomes, bytes_of({unknown}));
    EXPECT_EQ(chunk.causes, bytes_of({Reason::job_cancelled}));
}

TEST(SettleStalled, GivesUpWhatTookTooManyWorkersDown) {
    for (const auto takeovers : {takeovers_max - 1, takeovers_max}) {
        auto chunk = chunk_with({pending, retry, pending, sent}, DoubtPolicy::hold);
        chunk.begun[0] = '\1';
        chunk.takeovers = takeovers;
        const bool is_last = takeovers == takeovers_max;
        EXPECT_EQ(settle_stalled(chunk), is_last);
        EXPECT_EQ(chunk.outcomes, is_last ? bytes_of({unknown, failed, failed, sent})
                                          : bytes_of({unknown, retry, pending, sent}));
        EXPECT_EQ(chunk.reasons[1], static_cast<char>(is_last ? Reason::given_up : Reason::none));
        EXPECT_EQ(chunk.reasons[0], static_cast<char>(Reason::worker_lost));
    }
}

TEST(NotConfigured, WaitsAndIsGivenUpUnderThatName) {
    auto chunk = chunk_with({pending, sent, retry}, DoubtPolicy::resend);
    chunk.reasons = bytes_of({Reason::none, Reason::none, Reason::answer_lost});
    wait_for_configuration(chunk);
    EXPECT_EQ(chunk.outcomes, bytes_of({retry, sent, retry}));
    EXPECT_EQ(chunk.reasons, bytes_of({Reason::not_configured, Reason::none, Reason::answer_lost}))
        << "doubt is lifted by nothing but being told";
    give_up(chunk, Reason::account_unusable);
    EXPECT_EQ(chunk.outcomes, bytes_of({failed, sent, unknown}));
    EXPECT_EQ(chunk.reasons, bytes_of({Reason::not_configured, Reason::none, Reason::answer_lost}));
    EXPECT_EQ(chunk.causes, bytes_of({Reason::none, Reason::none, Reason::not_configured}));
}

TEST(CountedWindow, IsTheLongestWhereTheKindIsGone) {
    EXPECT_EQ(counted_window(nullptr), Cap::window_max);
    JobContext job;
    Kind kind;
    job.kind = &kind;
    EXPECT_EQ(counted_window(&job), std::chrono::hours{0});
    kind.at_most = Cap{1, std::chrono::hours{24}};
    EXPECT_EQ(counted_window(&job), std::chrono::hours{24});
}

}  // namespace
}  // namespace fanfare
