#include "worker/send/quiet.hpp"

#include "core/wire/timestamp.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

constexpr QuietHours night{.from = 22h, .to = 8h, .drops = false, .time_zone = {}};
constexpr QuietHours siesta{.from = 13h, .to = 15h + 30min, .drops = false, .time_zone = {}};
constexpr QuietHours small_hours{.from = 0h, .to = 2h + 30min, .drops = false, .time_zone = {}};

struct Case {
    const char* name;
    QuietHours quiet;
    const char* zone;
    const char* now;
    const char* until;  // "": not quiet.
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class QuietTest : public ::testing::TestWithParam<Case> {};

TEST_P(QuietTest, EndsWhenTheClockOnTheWallSaysSo) {
    const auto& c = GetParam();
    const auto now = parse_timestamp(c.now);
    ASSERT_TRUE(now);
    const auto until = quiet_until(c.quiet, c.zone, *now);
    EXPECT_EQ(until ? format_timestamp(*until) : "", c.until);
    if (until) {
        EXPECT_FALSE(quiet_until(c.quiet, c.zone, *until)) << "nobody is deferred twice";
    }
}

INSTANTIATE_TEST_SUITE_P(
    Zones, QuietTest,
    ::testing::Values(
        Case{"Evening", night, "UTC", "2026-11-20T21:59:59Z", ""},
        Case{"FirstSecond", night, "UTC", "2026-11-20T22:00:00Z", "2026-11-21T08:00:00.000000Z"},
        Case{"AfterMidnight", night, "UTC", "2026-11-21T00:00:00Z", "2026-11-21T08:00:00.000000Z"},
        Case{"LastMoment", night, "UTC", "2026-11-21T07:59:59.999Z", "2026-11-21T08:00:00.000000Z"},
        Case{"Morning", night, "UTC", "2026-11-21T08:00:00Z", ""},
        Case{"WithinADay", siesta, "UTC", "2026-11-20T13:00:00Z", "2026-11-20T15:30:00.000000Z"},
        Case{"BesideIt", siesta, "UTC", "2026-11-20T15:30:00Z", ""},
        Case{"NoSuchZone", night, "Mars/Olympus", "2026-11-20T23:00:00Z",
             "2026-11-21T08:00:00.000000Z"},
        Case{"NoZone", night, "", "2026-11-20T23:00:00Z", "2026-11-21T08:00:00.000000Z"},
        // +05:45, no change ever.
        Case{"Kathmandu", night, "Asia/Kathmandu", "2026-11-20T16:15:00Z",
             "2026-11-21T02:15:00.000000Z"},
        Case{"KathmanduBefore", night, "Asia/Kathmandu", "2026-11-20T16:14:59Z", ""},
        // +13:45 in summer, +12:45 in winter.
        Case{"ChathamSummer", night, "Pacific/Chatham", "2026-12-31T09:00:00Z",
             "2026-12-31T18:15:00.000000Z"},
        Case{"ChathamWinter", night, "Pacific/Chatham", "2026-07-01T10:00:00Z",
             "2026-07-01T19:15:00.000000Z"},
        Case{"ChathamChanges", night, "Pacific/Chatham", "2026-09-26T12:00:00Z",
             "2026-09-26T18:15:00.000000Z"},
        // +01 all year, +00 in Ramadan (2026: 15 February to 22 March).
        Case{"Casablanca", night, "Africa/Casablanca", "2026-06-01T22:00:00Z",
             "2026-06-02T07:00:00.000000Z"},
        Case{"CasablancaRamadan", night, "Africa/Casablanca", "2026-03-01T22:00:00Z",
             "2026-03-02T08:00:00.000000Z"},
        Case{"CasablancaRamadanBegins", night, "Africa/Casablanca", "2026-02-14T22:00:00Z",
             "2026-02-15T08:00:00.000000Z"},
        Case{"CasablancaRamadanEnds", night, "Africa/Casablanca", "2026-03-21T23:00:00Z",
             "2026-03-22T07:00:00.000000Z"},
        // New York: 8 March 2026 has 23 hours, 1 November 25.
        Case{"SpringForward", night, "America/New_York", "2026-03-08T03:00:00Z",
             "2026-03-08T12:00:00.000000Z"},
        Case{"FallBack", night, "America/New_York", "2026-11-01T02:00:00Z",
             "2026-11-01T13:00:00.000000Z"},
        // The hour in which the quiet hours would end does not exist: they end with the jump.
        Case{"EndIsSkipped", small_hours, "America/New_York", "2026-03-08T06:00:00Z",
             "2026-03-08T07:00:00.000000Z"},
        // It is there twice: between its two halves the clock is outside, then inside again.
        Case{"EndComesTwice",
             {.from = 0h, .to = 1h + 30min, .drops = false, .time_zone = {}},
             "America/New_York",
             "2026-11-01T04:30:00Z",
             "2026-11-01T05:30:00.000000Z"},
        Case{"EndComesTwiceSecond",
             {.from = 0h, .to = 1h + 30min, .drops = false, .time_zone = {}},
             "America/New_York",
             "2026-11-01T06:10:00Z",
             "2026-11-01T06:30:00.000000Z"},
        Case{"LordHoweHalfHour", night, "Australia/Lord_Howe", "2026-10-03T12:00:00Z",
             "2026-10-03T21:00:00.000000Z"},
        Case{"LeapDay", night, "Europe/Berlin", "2028-02-28T22:00:00Z",
             "2028-02-29T07:00:00.000000Z"},
        Case{"AfterLeapDay", night, "Europe/Berlin", "2028-02-29T22:00:00Z",
             "2028-03-01T07:00:00.000000Z"},
        Case{"YearEnd", night, "Europe/Berlin", "2026-12-31T22:30:00Z",
             "2027-01-01T07:00:00.000000Z"},
        // Samoa had no 30 December 2011.
        Case{"DayThatNeverWas", night, "Pacific/Apia", "2011-12-30T09:00:00Z",
             "2011-12-30T18:00:00.000000Z"}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(QuietHoursOfAChunk, OnlyUntouchedOnesAreSplit) {
    ledger::ClaimedChunk chunk;
    chunk.outcomes = std::string(2, '\0');
    chunk.reasons = std::string(2, '\0');
    EXPECT_TRUE(is_untouched(chunk));
    chunk.reasons[1] = static_cast<char>(Reason::worker_lost);
    EXPECT_FALSE(is_untouched(chunk));
    chunk.reasons[1] = '\0';
    chunk.outcomes[0] = static_cast<char>(Outcome::retry);
    EXPECT_FALSE(is_untouched(chunk));
}

}  // namespace
}  // namespace fanfare
