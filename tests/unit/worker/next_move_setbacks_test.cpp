// Every move with a chunk that could not be tried, and what is true of all moves.
#include "tests/unit/worker/next_move_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace fanfare::moves {
namespace {

// ---- After a setback.

class AfterASetback : public ::testing::TestWithParam<Row> {};
TEST_P(AfterASetback, Decides) { expect_move(After::setback, GetParam()); }

Row setback(const char* name, Setback what, Move move, std::int32_t failures = 0) {
    return {name,
            [what, failures](auto& chunk, auto& now) {
                now.setback = what;
                now.away_for = milliseconds{4'000};
                chunk.failures = failures;
            },
            move};
}
/// The same of a job that is older than anybody waits.
Row of_old(Row row) {
    auto given = std::move(row.given);
    row.given = [given = std::move(given)](auto& chunk, auto& now) {
        given(chunk, now);
        chunk.is_old = true;
    };
    return row;
}

INSTANTIATE_TEST_SUITE_P(
    Moves, AfterASetback,
    ::testing::Values(
        setback("ALedgerThatIsAwayIsNobodysFailure", Setback::job_away,
                release(milliseconds{30'000})),
        setback("AndIsNotCounted", Setback::job_away, release(milliseconds{30'000}, 7), 7),
        of_old(setback("NorEndsTheWaitingOfOld", Setback::job_away,
                       release(milliseconds{30'000}, 40), 40)),
        setback("ForConfigurationItWaits", Setback::not_configured,
                release(milliseconds{30'000}, 1)),
        setback("LongerEachTime", Setback::not_configured, release(milliseconds{120'000}, 3), 2),
        setback("TenMinutesAtMost", Setback::not_configured, release(milliseconds{600'000}, 19),
                18),
        setback("YoungItWaitsOn", Setback::not_configured, release(milliseconds{600'000}, 41), 40),
        of_old(setback("OldItWaitsForAWhile", Setback::not_configured,
                       release(milliseconds{600'000}, 19), 18)),
        of_old(setback("OldItIsGivenUpInTheEnd", Setback::not_configured,
                       give_up(Reason::account_unusable), 19)),
        setback("ASystemThatIsAwayIsNotAskedMeanwhile", Setback::system_away,
                release(milliseconds{4'000}, 30), 30),
        of_old(setback("NorDoesItEndTheWaitingOfOld", Setback::system_away,
                       release(milliseconds{4'000}, 30), 30)),
        setback("CulpritsAreLookedForInTurns", Setback::query_partial,
                release(milliseconds{1'000}, 5), 5),
        setback("SuppressionsAreAskedForSoon", Setback::ledger_away,
                release(milliseconds{1'000}, 5), 5),
        setback("ASlowQueryCounts", Setback::query_slow, release(milliseconds{1'000}, 1)),
        setback("AndComesLaterEachTime", Setback::query_slow, release(milliseconds{8'000}, 4), 3),
        setback("ButIsNeverGivenUpForThat", Setback::query_slow, release(milliseconds{300'000}, 21),
                20),
        of_old(setback("UnlessItIsOld", Setback::query_slow, give_up(Reason::account_unusable),
                       19)),
        setback("ARefusedQuestionCounts", Setback::ledger_refuses, release(milliseconds{2'000}, 2),
                1),
        setback("AFailingQueryCounts", Setback::query_fails, release(milliseconds{1'000}, 1)),
        setback("NineTimes", Setback::query_fails, release(milliseconds{256'000}, 9), 8),
        setback("TheTenthTimeTheQueryIsToBlame", Setback::query_fails,
                give_up(Reason::query_failed), 9),
        setback("WhatCannotBeComposedIsGivenUp", Setback::not_composed,
                give_up(Reason::request_refused)),
        setback("WhoeverLeftNobodyKnows", Setback::not_split, leave),
        Row{"FinishedIsFinished",
            [](auto& chunk, auto& now) {
                now.setback = Setback::not_configured;
                chunk.is_settled = true;
            },
            finish},
        Row{"AfterProgressFailuresBeginAnew",
            [](auto& chunk, auto& now) {
                now.setback = Setback::ledger_away;
                chunk.has_progressed = true;
                chunk.failures = 5;
            },
            release(milliseconds{1'000})},
        Row{"AndStillOneThatFailedIsCounted",
            [](auto& chunk, auto& now) {
                now.setback = Setback::ledger_refuses;
                chunk.has_progressed = true;
                chunk.failures = 1;
            },
            release(milliseconds{2'000}, 2)},
        Row{"ChunksOfASystemDoNotComeAllAtOnce",
            [](auto&, auto& now) {
                now.setback = Setback::system_away;
                now.away_for = milliseconds{4'000};
                now.jitter = 0.5;
            },
            release(milliseconds{5'000})},
        Row{"TheSettingsSayHowLong",
            [](auto&, auto& now) {
                now.setback = Setback::query_slow;
                now.backoff_first = milliseconds{50};
            },
            release(milliseconds{50}, 1)},
        Row{"AndHowLongAtMost",
            [](auto& chunk, auto& now) {
                now.setback = Setback::query_slow;
                now.backoff_max = milliseconds{3'000};
                chunk.failures = 8;
            },
            release(milliseconds{3'000}, 9)}),
    name_pattern);

// ---- Whatever the situation.

/// Calls `look` with every combination of the yes-and-no of people and situation.
void for_each_situation(const std::function<void(const ChunkState&, const Situation&)>& look) {
    constexpr unsigned flags = 12;
    for (const auto after :
         {After::claim, After::wait, After::setback, After::pass, After::reroute}) {
        for (unsigned bits = 0; bits < 1U << flags; ++bits) {
            const auto bit = [&](unsigned i) { return (bits >> i & 1U) != 0; };
            ChunkState chunk;
            chunk.is_settled = bit(0);
            chunk.is_in_doubt = bit(1);
            chunk.waits_for_account = bit(2);
            chunk.has_progressed = bit(3);
            chunk.has_begun = bit(4);
            chunk.is_old = bit(5);
            Situation now = situation(after);
            now.is_held_back = bit(6);
            now.is_stopping = bit(7);
            now.is_lost = bit(8);
            now.has_other_account = bit(9);
            now.account_serves = bit(10);
            now.account_is_usable = bit(11);
            now.passes = 1;
            for (std::uint8_t s = 0; s <= static_cast<std::uint8_t>(Setback::not_split); ++s) {
                now.setback = after == After::setback ? static_cast<Setback>(s) : Setback::none;
                look(chunk, now);
            }
        }
    }
}

TEST(AnyMove, OfDoubtIsNeverAReroute) {
    for_each_situation([](const ChunkState& chunk, const Situation& now) {
        if (!chunk.is_in_doubt) return;
        ASSERT_NE(next_move(chunk, now).kind, Move::Kind::reroute);
    });
}

TEST(AnyMove, FinishesWhatIsSettledAndNothingElse) {
    for_each_situation([](const ChunkState& chunk, const Situation& now) {
        const auto kind = next_move(chunk, now).kind;
        if (kind == Move::Kind::leave) return;
        ASSERT_EQ(kind == Move::Kind::finish, chunk.is_settled);
    });
}

TEST(AnyMove, LeavesOnlyWhatIsSomebodyElses) {
    for_each_situation([](const ChunkState& chunk, const Situation& now) {
        if (next_move(chunk, now).kind != Move::Kind::leave) return;
        const bool nobody_knows =
            now.after == After::setback &&
            (now.setback == Setback::not_split || now.setback == Setback::none);
        ASSERT_TRUE((now.is_lost && !chunk.has_begun) || nobody_knows);
    });
}

TEST(AnyMove, BeginsNothingOfWhatIsHeldBackOrLost) {
    for_each_situation([](const ChunkState& chunk, const Situation& now) {
        const auto kind = next_move(chunk, now).kind;
        if (now.is_held_back) {
            ASSERT_NE(kind, Move::Kind::try_all);
            ASSERT_NE(kind, Move::Kind::wait);
        }
        if (now.is_lost) {
            ASSERT_NE(kind, Move::Kind::try_all);
            ASSERT_NE(kind, Move::Kind::wait);
            ASSERT_NE(kind, Move::Kind::reroute);
        }
    });
}

TEST(AnyMove, WaitsInPlaceShortlyAndNeverInADrain) {
    for_each_situation([](const ChunkState& chunk, Situation now) {
        for (const auto ms : {0, 1'000, 3'000, 3'001, 300'000}) {
            now.wait = now.asked_to_wait = milliseconds{ms};
            const auto move = next_move(chunk, now);
            if (move.kind != Move::Kind::wait) continue;
            ASSERT_LE(move.wait, in_place_wait_max);
            ASSERT_FALSE(now.is_stopping);
        }
    });
}

TEST(Backoff, DoublesUpToItsBound) {
    const Backoff backoff{milliseconds{1'000}, milliseconds{300'000}};
    EXPECT_EQ(wait_after(backoff, 1, 0), milliseconds{1'000});
    EXPECT_EQ(wait_after(backoff, 2, 0), milliseconds{2'000});
    EXPECT_EQ(wait_after(backoff, 5, 0), milliseconds{16'000});
    EXPECT_EQ(wait_after(backoff, 9, 0), milliseconds{256'000});
    EXPECT_EQ(wait_after(backoff, 10, 0), milliseconds{300'000});
    EXPECT_EQ(wait_after(backoff, 1, 0.5), milliseconds{1'250});
    EXPECT_EQ(wait_after(backoff, 0, 0), milliseconds{1'000}) << "throttled before any attempt";
}

TEST(Backoff, StaysWithinItsBoundsWhateverTheAttempt) {
    for (const auto first : {1, 1'000, 600'000}) {
        for (const auto max : {1, 300'000, 3'600'000}) {
            const Backoff backoff{milliseconds{first}, milliseconds{max}};
            milliseconds before{0};
            for (const std::int32_t used : {-1, 0, 1, 2, 3, 7, 20, 21, 22, 31, 32, 33, 100,
                                            1'000'000, std::numeric_limits<std::int32_t>::max()}) {
                const auto least = wait_after(backoff, used, 0);
                const auto most = wait_after(backoff, used, 0.999'999);
                EXPECT_GE(least, std::min(backoff.first, backoff.max)) << used;
                EXPECT_LE(least, backoff.max) << used;
                EXPECT_GE(most, least) << used;
                EXPECT_LE(most, backoff.max + backoff.max / 2) << used;
                EXPECT_GE(least, before) << "waits never shrink with the attempts";
                before = least;
            }
        }
    }
}

}  // namespace
}  // namespace fanfare::moves
