#include "core/wire/timestamp.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

TimePoint at(year_month_day date, microseconds time = 0us) { return sys_days{date} + time; }

const TimePoint evening = at(2026y / November / 20, 19h + 30min);

TEST(ParseMoment, ReadsWhatBackendsAndPostgresWrite) {
    for (const char* text :
         {"2026-11-20T19:30:00Z", "2026-11-20T19:30:00.000Z", "2026-11-20 19:30:00",
          "2026-11-20T19:30Z", "2026-11-20 19:30", "2026-11-20t19:30:00z",
          "2026-11-20T19:30:00+00:00", "2026-11-20 19:30:00+00", "2026-11-20T14:30:00-05:00",
          "2026-11-20T14:30:00-0500", "2026-11-20 14:30:00-05", "2026-11-21T01:15:00+05:45"}) {
        EXPECT_EQ(parse_time_or_utc(text), evening) << text;
    }
}

TEST(ParseMoment, KeepsMicrosecondsAndCutsTheRest) {
    EXPECT_EQ(parse_time_or_utc("2026-11-20T19:30:00.5Z"), evening + 500ms);
    EXPECT_EQ(parse_time_or_utc("2026-11-20T19:30:00.123456Z"), evening + 123'456us);
    EXPECT_EQ(parse_time_or_utc("2026-11-20T19:30:00.123456999Z"), evening + 123'456us);
    EXPECT_EQ(parse_time_or_utc("2026-11-20T19:30:00,25"), evening + 250ms);
    EXPECT_EQ(parse_time_or_utc("1969-12-31T23:59:59.999999Z"), TimePoint{-1us});
}

TEST(ParseMoment, KnowsTheCalendar) {
    EXPECT_EQ(parse_time_or_utc("2028-02-29T00:00:00Z"), at(2028y / February / 29));
    EXPECT_EQ(parse_time_or_utc("2000-02-29T00:00:00Z"), at(2000y / February / 29));
    EXPECT_EQ(parse_time_or_utc("0001-01-01T00:00:00Z"), at(1y / January / 1));
    EXPECT_EQ(parse_time_or_utc("9999-12-31T23:59:59Z"),
              at(9999y / December / 31, 23h + 59min + 59s));
    EXPECT_FALSE(parse_time_or_utc("2026-02-29T00:00:00Z"));
    EXPECT_FALSE(parse_time_or_utc("2100-02-29T00:00:00Z"));
    EXPECT_FALSE(parse_time_or_utc("2026-04-31T00:00:00Z"));
}

TEST(ParseMoment, IsStrict) {
    for (const char* text : {"",
                             "now",
                             "2026",
                             "2026-11-20",
                             "20261120T193000Z",
                             "2026-11-20T19",
                             "2026-11-20T19:3",
                             "2026-11-20T19:30:0",
                             "2026-11-20T19:30:",
                             "2026-11-20T19:30:00.",
                             "2026-1-20T19:30:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-01-00T00:00:00Z",
                             "2026-01-32T00:00:00Z",
                             "2026-11-20T24:00:00Z",
                             "2026-11-20T19:60:00Z",
                             "2026-11-20T19:30:60Z",
                             "2026-11-20T19:30:00ZZ",
                             "2026-11-20T19:30:00 Z",
                             " 2026-11-20T19:30:00Z",
                             "2026-11-20T19:30:00Z ",
                             "2026-11-20  19:30:00",
                             "2026-11-20T19:30:00+",
                             "2026-11-20T19:30:00+5",
                             "2026-11-20T19:30:00+05:4",
                             "2026-11-20T19:30:00+05:",
                             "2026-11-20T19:30:00+16:00",
                             "2026-11-20T19:30:00+05:60",
                             "2026-11-20T19:30:00+-5:00",
                             "2026-11-20T19:30:00 EST",
                             "0000-01-01T00:00:00Z",
                             "-2026-11-20T19:30:00Z",
                             "+2026-11-20T19:30:00Z",
                             "12026-11-20T19:30:00Z",
                             "2026-11-20T19:30:00.1234567890Z",
                             "2026-11-20T1x:30:00Z",
                             "1795203000"}) {
        EXPECT_FALSE(parse_time_or_utc(text)) << text;
    }
    EXPECT_FALSE(parse_time_or_utc(std::string_view{"2026-11-20T19:30:00Z\0", 21}));
}

}  // namespace
}  // namespace fanfare
