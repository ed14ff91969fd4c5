// Every move with a claimed chunk: what is decided for which people in which situation. What
// follows a setback: next_move_setbacks_test.cpp.
#include "tests/unit/worker/next_move_case.hpp"

#include <gtest/gtest.h>

namespace fanfare::moves {
namespace {

// ---- Before a pass.

class BeforeAPass : public ::testing::TestWithParam<Row> {};
TEST_P(BeforeAPass, Decides) {
    expect_move(After::claim, GetParam());
    expect_move(After::wait, GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Moves, BeforeAPass,
    ::testing::Values(
        Row{"EverybodyIsTried", [](auto&, auto&) {}, try_all()},
        Row{"AndWhatWasWaitedIsRemembered", [](auto&, auto& now) { now.wait = milliseconds{700}; },
            try_all(milliseconds{700})},
        Row{"AlsoWhereSomebodyIsInDoubt", [](auto& chunk, auto&) { chunk.is_in_doubt = true; },
            try_all()},
        Row{"AlsoWhereTheAccountIsNotUsable",
            [](auto&, auto& now) { now.account_is_usable = false; }, try_all()},
        Row{"WhereNobodyIsOpenItIsFinished", [](auto& chunk, auto&) { chunk.is_settled = true; },
            finish},
        Row{"FinishedIsFinishedThoughHeldBack",
            [](auto& chunk, auto& now) { chunk.is_settled = now.is_held_back = true; }, finish},
        Row{"HeldBackItGoesBackAsItIs",
            [](auto& chunk, auto& now) {
                now.is_held_back = true;
                chunk.failures = 3;
            },
            release(milliseconds{0}, 3)},
        Row{"HeldBackIsNobodysFailureThoughTheyWaitForTheAccount",
            [](auto& chunk, auto& now) {
                now.is_held_back = chunk.waits_for_account = chunk.is_old = true;
                chunk.failures = 100;
            },
            release(milliseconds{0}, 100)},
        Row{"HeldBackAfterAWaitItKeepsItsWait",
            [](auto&, auto& now) {
                now.is_held_back = true;
                now.wait = milliseconds{2'000};
            },
            release(milliseconds{2'000})},
        Row{"HeldBackAfterProgressItsFailuresAreOver",
            [](auto& chunk, auto& now) {
                now.is_held_back = chunk.has_progressed = true;
                chunk.failures = 3;
            },
            release(milliseconds{0})}),
    name_pattern);

// ---- After a pass: retry.

class AfterAPass : public ::testing::TestWithParam<Row> {};
TEST_P(AfterAPass, Decides) { expect_move(After::pass, GetParam()); }

INSTANTIATE_TEST_SUITE_P(Retry, AfterAPass,
                         ::
                             testing::
                                 Values(
                                     Row{"NobodyIsOpen",
                                         [](auto &chunk, auto &) {
                                           chunk.is_settled = true;
                                         },
                                         finish},
                                     Row{"NobodyIsOpenThoughTheAccountIsBroken",
                                         [](auto &chunk, auto &now) {
                                           chunk.is_settled = true;
                                           now.account_is_usable = false;
                                         },
                                         finish},
                                     Row{"WhoWasNotReachedIsTriedAtOnce",
                                         [](auto &, auto &) {},
                                         wait(milliseconds{0})},
                                     Row{"TheFirstAttemptIsFollowedByTheFirstWa"
                                         "it",
                                         [](auto &, auto &now) {
                                           now.attempts = 1;
                                         },
                                         wait(milliseconds{1'000})},
                                     Row{"LaterOnesByLongerOnes",
                                         [](auto &, auto &now) {
                                           now.attempts = 2;
                                         },
                                         wait(milliseconds{2'000})},
                                     Row{"SpreadByHalf",
                                         [](auto &, auto &now) {
                                           now.attempts = 2;
                                           now.jitter = 0.5;
                                         },
                                         wait(milliseconds{2'500})},
                                     Row{"ThreeSecondsAreWaitedHere",
                                         [](auto &, auto &now) {
                                           now.asked_to_wait =
                                               in_place_wait_max;
                                         },
                                         wait(milliseconds{3'000})},
                                     Row{"LongerOnesInTheLedger",
                                         [](auto &, auto &now) {
                                           now.asked_to_wait =
                                               in_place_wait_max +
                                               milliseconds{1};
                                         },
                                         release(milliseconds{3'001})},
                                     Row{"TheProviderIsNotHurried",
                                         [](auto &, auto &now) {
                                           now.attempts = 1;
                                           now.asked_to_wait =
                                               milliseconds{1'500};
                                         },
                                         wait(milliseconds{1'500})},
                                     Row{"NorIsABackoffShortenedByIt",
                                         [](auto &, auto &now) {
                                           now.attempts = 2;
                                           now.asked_to_wait =
                                               milliseconds{1'500};
                                         },
                                         wait(milliseconds{2'000})},
                                     Row{"PassesDoNotCountWhileTheAccountServe"
                                         "s",
                                         [](auto &chunk, auto &now) {
                                           now.passes = 5;
                                           chunk.failures = 5;
                                           chunk.waits_for_account = true;
                                         },
                                         wait(milliseconds{0})},
                                     Row{"TheyDoWhileItServesNobody",
                                         [](auto &chunk, auto &now) {
                                           now.passes = 2;
                                           now.account_serves = false;
                                           chunk.waits_for_account = true;
                                         },
                                         wait(milliseconds{2'000})},
                                     Row{"AndSoDoTheClaimsBefore",
                                         [](auto &chunk, auto &now) {
                                           now.passes = 1;
                                           now.account_serves = false;
                                           chunk.waits_for_account = true;
                                           chunk.failures = 3;
                                         },
                                         release(milliseconds{8'000}, 4)},
                                     Row{"ButNotForThoseWhoWaitForSomethingEls"
                                         "e",
                                         [](auto &chunk, auto &now) {
                                           now.passes = 4;
                                           now.account_serves = false;
                                           chunk.failures = 3;
                                         },
                                         wait(milliseconds{0})},
                                     Row{"AnAttemptThatWaitsLongerCounts",
                                         [](auto &chunk, auto &now) {
                                           now.passes = 1;
                                           now.attempts = 2;
                                           now.account_serves = false;
                                           chunk.waits_for_account = true;
                                         },
                                         wait(milliseconds{2'000})},
                                     Row{"TheLeaseLasts",
                                         [](auto &, auto &now) {
                                           now.attempts = 1;
                                           now.lease_left = milliseconds{
                                               1'000 + 10'000 + 5'000 + 1};
                                         },
                                         wait(milliseconds{1'000})},
                                     Row{"TheLeaseDoesNotLast",
                                         [](auto &, auto &now) {
                                           now.attempts = 1;
                                           now.lease_left = milliseconds{
                                               1'000 + 10'000 + 5'000};
                                         },
                                         release(milliseconds{1'000})},
                                     Row{"AWorkerThatDrainsWaitsForNothing",
                                         [](auto &, auto &now) {
                                           now.attempts = 1;
                                           now.is_stopping = true;
                                         },
                                         release(milliseconds{1'000})},
                                     Row{"HeldBackItGoesBack",
                                         [](auto &chunk, auto &now) {
                                           now.attempts = 1;
                                           now.is_held_back =
                                               chunk.waits_for_account = true;
                                         },
                                         release(milliseconds{1'000})},
                                     Row{"AClaimThatBroughtNobodyFurtherHasFail"
                                         "ed",
                                         [](auto &chunk, auto &now) {
                                           now.asked_to_wait =
                                               milliseconds{60'000};
                                           chunk.waits_for_account = true;
                                           chunk.failures = 2;
                                         },
                                         release(milliseconds{60'000}, 3)},
                                     Row{"NotWhereNobodyWaitsForTheAccount",
                                         [](auto &chunk, auto &now) {
                                           now.asked_to_wait =
                                               milliseconds{60'000};
                                           chunk.failures = 2;
                                         },
                                         release(milliseconds{60'000}, 2)},
                                     Row{"NotWhereSomebodyCameFurther",
                                         [](auto &chunk, auto &now) {
                                           now.asked_to_wait =
                                               milliseconds{60'000};
                                           chunk.waits_for_account =
                                               chunk.has_progressed = true;
                                           chunk.failures = 2;
                                         },
                                         release(milliseconds{60'000})},
                                     Row{"OldItIsGivenUpInTheEnd",
                                         [](auto &chunk, auto &now) {
                                           now.asked_to_wait =
                                               milliseconds{60'000};
                                           chunk.waits_for_account =
                                               chunk.is_old = true;
                                           chunk.failures =
                                               failures_of_old_max - 1;
                                         },
                                         give_up(Reason::account_unusable)},
                                     Row{"NotBeforeItFailedOften",
                                         [](auto &chunk, auto &now) {
                                           now.asked_to_wait =
                                               milliseconds{60'000};
                                           chunk.waits_for_account =
                                               chunk.is_old = true;
                                           chunk.failures =
                                               failures_of_old_max - 2;
                                         },
                                         release(milliseconds{60'000},
                                                 failures_of_old_max - 1)},
                                     Row{"NotWhileSomebodyComesFurther",
                                         [](auto &chunk, auto &now) {
                                           now.asked_to_wait =
                                               milliseconds{60'000};
                                           chunk.waits_for_account =
                                               chunk.is_old =
                                                   chunk.has_progressed = true;
                                           chunk.failures = 100;
                                         },
                                         release(milliseconds{60'000})},
                                     Row{"SleepersAreNotWokenHowShortTheyMaySle"
                                         "ep",
                                         [](auto &, auto &now) {
                                           now.quiet_until = morning;
                                         },
                                         until(morning, milliseconds{1'000})},
                                     Row{"NorBeforeTheirBackoff",
                                         [](auto &, auto &now) {
                                           now.attempts = 2;
                                           now.quiet_until = morning;
                                         },
                                         until(morning, milliseconds{2'000})},
                                     Row{"NorByAnotherAccount",
                                         [](auto &, auto &now) {
                                           now.account_is_usable = false;
                                           now.quiet_until = morning;
                                         },
                                         until(morning, milliseconds{1'000})}),
                         name_pattern);

// ---- After a pass: doubt and reroute.

INSTANTIATE_TEST_SUITE_P(
    DoubtAndReroute, AfterAPass,
    ::testing::Values(
        Row{"AnAccountThatCannotServeHandsOver",
            [](auto&, auto& now) { now.account_is_usable = false; }, reroute(milliseconds{0})},
        Row{"WithTheWaitThatTheyHad",
            [](auto&, auto& now) {
                now.account_is_usable = false;
                now.account_unusable_for = milliseconds{30'000};
                now.attempts = 2;
            },
            reroute(milliseconds{2'000})},
        Row{"AlsoWhenTheWorkerDrains",
            [](auto&, auto& now) {
                now.account_is_usable = false;
                now.is_stopping = true;
            },
            reroute(milliseconds{0})},
        Row{"DoubtStaysWithItsAccount",
            [](auto& chunk, auto& now) {
                now.account_is_usable = false;
                now.account_unusable_for = milliseconds{30'000};
                chunk.is_in_doubt = true;
            },
            release(milliseconds{30'000})},
        Row{"HereWhereThatIsBackSoon",
            [](auto& chunk, auto& now) {
                now.account_is_usable = false;
                now.account_unusable_for = milliseconds{2'000};
                chunk.is_in_doubt = true;
            },
            wait(milliseconds{2'000})},
        Row{"NeverShorterThanTheBackoff",
            [](auto& chunk, auto& now) {
                now.account_is_usable = false;
                now.account_unusable_for = milliseconds{100};
                now.attempts = 2;
                chunk.is_in_doubt = true;
            },
            wait(milliseconds{2'000})},
        Row{"DoubtIsTriedAgainByAnAccountThatIsWell",
            [](auto& chunk, auto& now) {
                now.attempts = 1;
                now.account_unusable_for = milliseconds{50};
                chunk.is_in_doubt = true;
            },
            wait(milliseconds{1'000})},
        Row{"LostBeforeAnythingBeganItIsLeft", [](auto&, auto& now) { now.is_lost = true; }, leave},
        Row{"AlsoWhereNobodyIsOpen",
            [](auto& chunk, auto& now) { now.is_lost = chunk.is_settled = true; }, leave},
        Row{"LostWithRequestsBegunTheirWordIsWritten",
            [](auto& chunk, auto& now) {
                now.is_lost = chunk.has_begun = true;
                now.attempts = 3;
                now.account_is_usable = false;
            },
            release(milliseconds{0})},
        Row{"LostInALaterPassItHasTheWaitOfTheOneBefore",
            [](auto& chunk, auto& now) {
                now.is_lost = chunk.has_begun = true;
                now.wait = milliseconds{2'000};
            },
            release(milliseconds{2'000})},
        Row{"LostAndSettledItIsFinished",
            [](auto& chunk, auto& now) { now.is_lost = chunk.has_begun = chunk.is_settled = true; },
            finish}),
    name_pattern);

// ---- After another account was asked for.

class AfterAReroute : public ::testing::TestWithParam<Row> {};
TEST_P(AfterAReroute, Decides) { expect_move(After::reroute, GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Moves, AfterAReroute,
    ::testing::Values(Row{"TheOtherAccountGoesOnAtOnce",
                          [](auto&, auto& now) { now.has_other_account = true; },
                          wait(milliseconds{0})},
                      Row{"OrAfterTheWaitThatTheyHad",
                          [](auto&, auto& now) {
                              now.has_other_account = true;
                              now.account_unusable_for = milliseconds{2'500};
                              now.wait = milliseconds{2'000};
                              now.attempts = 5;  // As a pass of its own had it: decided already.
                          },
                          wait(milliseconds{2'000})},
                      Row{"WithTheTimeThatItsRequestsTake",
                          [](auto&, auto& now) {
                              now.has_other_account = true;
                              now.account_timeout = milliseconds{55'000};
                          },
                          release(milliseconds{0})},
                      Row{"NotWhileItIsHeldBack",
                          [](auto&, auto& now) { now.has_other_account = now.is_held_back = true; },
                          release(milliseconds{0})},
                      Row{"WithoutOneTheyWaitAsLongAsTheFirst",
                          [](auto&, auto& now) {
                              now.account_is_usable = false;
                              now.account_unusable_for = milliseconds{30'000};
                          },
                          release(milliseconds{30'000})},
                      Row{"HereWhereThatIsShort",
                          [](auto&, auto& now) {
                              now.account_is_usable = false;
                              now.account_unusable_for = milliseconds{500};
                          },
                          wait(milliseconds{500})},
                      Row{"OrLongerWhereTheirOwnWaitIs",
                          [](auto&, auto& now) {
                              now.account_is_usable = false;
                              now.account_unusable_for = milliseconds{500};
                              now.wait = milliseconds{8'000};
                          },
                          release(milliseconds{8'000})},
                      Row{"AndTheClaimHasFailed",
                          [](auto& chunk, auto& now) {
                              now.account_is_usable = false;
                              now.account_unusable_for = milliseconds{30'000};
                              chunk.waits_for_account = true;
                          },
                          release(milliseconds{30'000}, 1)}),
    name_pattern);

}  // namespace
}  // namespace fanfare::moves
