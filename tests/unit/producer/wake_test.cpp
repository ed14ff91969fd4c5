#include "producer/schedule/wake.hpp"

#include <gmock/gmock.h>

namespace fanfare {
namespace {

using std::chrono::microseconds;
using namespace std::chrono_literals;

struct Case {
    const char* name;
    WakeSituation situation;
    microseconds expected;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class WakeTest : public ::testing::TestWithParam<Case> {};

TEST_P(WakeTest, FollowsTheTable) {
    EXPECT_EQ(wait_before_next_turn(GetParam().situation), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    AllSituations, WakeTest,
    ::testing::Values(
        Case{"NothingKnown", {.next_due_in = {}, .poll_interval = 1s}, 1s},
        Case{"DueSoon", {.next_due_in = 3ms, .poll_interval = 1s}, 3ms},
        Case{"DueInAMicrosecond", {.next_due_in = 1us, .poll_interval = 1s}, 1us},
        Case{"DueLaterThanThePoll", {.next_due_in = 1h, .poll_interval = 1s}, 1s},
        Case{"LeasesToRenew", {.next_due_in = 1h, .poll_interval = 60s, .renew_in = 10s}, 10s},
        Case{"LockedByAnotherDoesNotSpin", {.next_due_in = 0us, .poll_interval = 1s}, 20ms},
        Case{"OverdueAndLocked", {.next_due_in = -5s, .poll_interval = 1s}, 20ms},
        Case{"FoundWork", {.next_due_in = 1h, .poll_interval = 1s, .claimed_any = true}, 0us},
        Case{"FirstFailure", {.next_due_in = 0us, .poll_interval = 1s, .failures = 1}, 100ms},
        Case{"FailuresDouble", {.next_due_in = {}, .poll_interval = 1s, .failures = 4}, 800ms},
        Case{"FailuresAreBounded",
             {.next_due_in = {}, .poll_interval = 1s, .failures = 4'000'000'000},
             10s},
        Case{"AFailureAfterAClaimWaitsToo",
             {.next_due_in = {}, .poll_interval = 1s, .claimed_any = true, .failures = 1},
             100ms}),
    [](const auto& suite) { return suite.param.name; });

TEST(PollWait, GrowsWithFailuresAndIsBounded) {
    EXPECT_EQ(wait_before_next_poll(1s, 0), 1s);
    EXPECT_EQ(wait_before_next_poll(1s, 2), 4s);
    EXPECT_EQ(wait_before_next_poll(1s, 30), 10s);
    EXPECT_EQ(wait_before_next_poll(60s, 30), 60s);
}

}  // namespace
}  // namespace fanfare
