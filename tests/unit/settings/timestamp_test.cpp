#include "core/wire/timestamp.hpp"

#include <gtest/gtest.h>

#include <random>

namespace fanfare {
namespace {

std::string reformatted(std::string_view text) {
    const auto time = parse_timestamp(text);
    return time ? format_timestamp(*time) : "none";
}

TEST(Timestamp, ReadsAnyZoneAsUtc) {
    EXPECT_EQ(reformatted("2026-11-20T19:30:00Z"), "2026-11-20T19:30:00.000000Z");
    EXPECT_EQ(reformatted("2026-11-20T19:30:00+05:30"), "2026-11-20T14:00:00.000000Z");
    EXPECT_EQ(reformatted("2026-11-20T19:30:00-05:00"), "2026-11-21T00:30:00.000000Z");
    EXPECT_EQ(reformatted("2026-11-20T19:30:00-00:00"), "2026-11-20T19:30:00.000000Z");
    EXPECT_EQ(reformatted("1969-12-31T23:59:59.5Z"), "1969-12-31T23:59:59.500000Z");
    EXPECT_EQ(reformatted("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000000Z");
}

TEST(Timestamp, KeepsMicrosecondsAndCutsTheRest) {
    EXPECT_EQ(reformatted("2026-11-20T19:30:00.1Z"), "2026-11-20T19:30:00.100000Z");
    EXPECT_EQ(reformatted("2026-11-20T19:30:00.123456Z"), "2026-11-20T19:30:00.123456Z");
    EXPECT_EQ(reformatted("2026-11-20T19:30:00.123456999Z"), "2026-11-20T19:30:00.123456Z");
}

TEST(Timestamp, ReadsWhatJavaPostgresAndLowerCaseWriteWithAZone) {
    const auto evening = parse_timestamp("2026-11-20T19:30:00Z");
    ASSERT_TRUE(evening);
    for (const auto* text :
         {"2026-11-20t19:30:00z", "2026-11-20T19:30Z", "2026-11-20T20:30+01:00",
          "2026-11-20 19:30:00+00", "2026-11-21T01:00:00+0530", "2026-11-20 19:30:00,000Z"}) {
        EXPECT_EQ(parse_timestamp(text), evening) << text;
        EXPECT_EQ(parse_time_or_utc(text), evening) << text;
    }
}

TEST(Timestamp, RefusesEverythingElse) {
    for (const auto* text : {"",
                             "Z",
                             "2026-11-20",
                             "2026-11-20T19:30:00",
                             "2026-11-20T19:30:60Z",
                             "2026-11-20T24:00:00Z",
                             "2026-11-20T19:60:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-01-00T00:00:00Z",
                             "2026-04-31T00:00:00Z",
                             "2025-02-29T00:00:00Z",
                             "2026-11-20T19:30:00.Z",
                             "2026-11-20T19:30:00.1234567890Z",
                             "2026-11-20T19:30",
                             "2026-11-20 19:30:00",
                             "2026-11-20T19:30:00+16:00",
                             "2026-11-20T19:30:00+05:60",
                             "2026-11-20T19:30:00ZZ",
                             "2026-11-20T19:30:00Z ",
                             " 2026-11-20T19:30:00Z",
                             "+2026-11-20T19:30:00Z",
                             "2026-1-20T19:30:00Z",
                             "0000-12-31T23:59:59Z",
                             "0001-01-01T00:00:00+00:01",
                             "9999-12-31T23:59:59-00:01"}) {
        EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
    }
}

TEST(Timestamp, ComesBackFromItsOwnText) {
    std::mt19937_64 random{20261120};
    std::uniform_int_distribution<std::int64_t> moments{-62'135'596'800'000'000,
                                                        253'402'300'799'999'999};
    for (int i = 0; i < 20'000; ++i) {
        const TimePoint time{std::chrono::microseconds{moments(random)}};
        ASSERT_EQ(parse_timestamp(format_timestamp(time)), time) << format_timestamp(time);
    }
}

}  // namespace
}  // namespace fanfare
