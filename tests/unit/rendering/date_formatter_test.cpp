#include "core/rendering/date_formatter.hpp"

#include "core/rendering/segments.hpp"
#include "core/wire/timestamp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

TimePoint moment(const char* text) {
    const auto parsed = parse_time_or_utc(text);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(TimePoint{});
}

struct Row {
    const char* name;
    const char* utc;
    const char* zone;
    const char* locale;
    const char* expected;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.utc << " in " << row.zone; }

class MomentsTable : public ::testing::TestWithParam<Row> {};

TEST_P(MomentsTable, Formats) {
    const auto& row = GetParam();
    DateFormatter dates;
    EXPECT_EQ(dates.format(moment(row.utc), row.zone, row.locale), row.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Zones, MomentsTable,
    ::testing::Values(Row{"Utc", "2026-11-20T19:30:00Z", "UTC", "en",
                          "November 20, 2026 at 7:30 PM UTC"},
                      Row{"NewYorkWinter", "2026-11-21T00:30:00Z", "America/New_York", "en",
                          "November 20, 2026 at 7:30 PM EST"},
                      Row{"NewYorkBeforeTheGap", "2026-03-08T06:59:00Z", "America/New_York", "en",
                          "March 8, 2026 at 1:59 AM EST"},
                      Row{"NewYorkAfterTheGap", "2026-03-08T07:00:00Z", "America/New_York", "en",
                          "March 8, 2026 at 3:00 AM EDT"},
                      Row{"NewYorkFoldFirst", "2026-11-01T05:30:00Z", "America/New_York", "en",
                          "November 1, 2026 at 1:30 AM EDT"},
                      Row{"NewYorkFoldSecond", "2026-11-01T06:30:00Z", "America/New_York", "en",
                          "November 1, 2026 at 1:30 AM EST"},
                      Row{"Kathmandu", "2026-11-20T19:30:00Z", "Asia/Kathmandu", "en",
                          "November 21, 2026 at 1:15 AM GMT+5:45"},
                      Row{"ChathamSummer", "2026-11-20T19:30:00Z", "Pacific/Chatham", "en",
                          "November 21, 2026 at 9:15 AM GMT+13:45"},
                      Row{"ChathamWinter", "2026-06-20T19:30:00Z", "Pacific/Chatham", "en",
                          "June 21, 2026 at 8:15 AM GMT+12:45"},
                      Row{"CasablancaRamadan", "2026-03-01T12:00:00Z", "Africa/Casablanca", "en",
                          "March 1, 2026 at 12:00 PM GMT"},
                      Row{"CasablancaAfterwards", "2026-06-01T12:00:00Z", "Africa/Casablanca", "en",
                          "June 1, 2026 at 1:00 PM GMT+1"},
                      Row{"SydneySummer", "2026-11-20T19:30:00Z", "Australia/Sydney", "en",
                          "November 21, 2026 at 6:30 AM GMT+11"},
                      Row{"SydneyForAustralians", "2026-11-20T19:30:00Z", "Australia/Sydney",
                          "en-AU", "November 21, 2026 at 6:30 AM AEDT"},
                      Row{"SydneyWinter", "2026-06-20T19:30:00Z", "Australia/Sydney", "en_AU",
                          "June 21, 2026 at 5:30 AM AEST"},
                      Row{"LeapDay", "2028-02-29T12:00:00Z", "Europe/Berlin", "en",
                          "February 29, 2028 at 1:00 PM GMT+1"},
                      Row{"YearEndEast", "2026-12-31T15:00:00Z", "Asia/Tokyo", "en",
                          "January 1, 2027 at 12:00 AM GMT+9"},
                      Row{"YearEndWest", "2027-01-01T04:59:59.999999Z", "America/New_York", "en",
                          "December 31, 2026 at 11:59 PM EST"},
                      Row{"BeforeTheEpoch", "1969-12-31T23:59:59.5Z", "UTC", "en",
                          "December 31, 1969 at 11:59 PM UTC"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Locales, MomentsTable,
    ::testing::Values(
        Row{"German", "2026-11-20T18:30:00Z", "Europe/Berlin", "de",
            "20. November 2026 um 19:30 MEZ"},
        Row{"Swiss", "2026-11-20T18:30:00Z", "Europe/Zurich", "de-CH",
            "20. November 2026 um 19:30 MEZ"},
        Row{"Brazilian", "2026-11-20T22:30:00Z", "America/Sao_Paulo", "pt-BR",
            "20 de novembro de 2026 às 19:30 BRT"},
        Row{"British", "2026-11-20T19:30:00Z", "Europe/London", "en-GB",
            "November 20, 2026 at 7:30 PM GMT"},
        Row{"ExtensionsIgnored", "2026-11-20T19:30:00Z", "UTC", "en-US-u-ca-buddhist",
            "November 20, 2026 at 7:30 PM UTC"},
        Row{"Thailand", "2026-12-01T12:00:00Z", "UTC", "en-TH", "December 1, 2026 at 12:00 PM UTC"},
        Row{"SaudiArabia", "2026-12-01T12:00:00Z", "UTC", "en-SA",
            "December 1, 2026 at 12:00 PM UTC"},
        Row{"Iran", "2026-12-01T12:00:00Z", "UTC", "en_IR", "December 1, 2026 at 12:00 PM UTC"},
        Row{"Afghanistan", "2026-12-01T12:00:00Z", "UTC", "en-AF",
            "December 1, 2026 at 12:00 PM UTC"},
        Row{"NumeralsIgnored", "2026-12-01T12:00:00Z", "UTC", "en-u-nu-arab",
            "December 1, 2026 at 12:00 PM UTC"},
        Row{"GermanInThailand", "2026-11-20T18:30:00Z", "Europe/Berlin", "de-TH",
            "20. November 2026 um 19:30 MEZ"},
        Row{"BrokenExtension", "2026-11-20T18:30:00Z", "Europe/Berlin", "de-u-ca-x",
            "20. November 2026 um 19:30 MEZ"},
        Row{"PrivateUse", "2026-11-20T18:30:00Z", "Europe/Berlin", "de-x-klingon-calendar",
            "20. November 2026 um 19:30 MEZ"},
        Row{"BrokenRegion", "2026-11-20T18:30:00Z", "Europe/Berlin", "de-!!",
            "20. November 2026 um 19:30 MEZ"},
        Row{"EndlessTag", "2026-11-20T18:30:00Z", "Europe/Berlin",
            "de-DE-variant1-variant2-variant3-variant4-variant5-variant6-variant7",
            "20. November 2026 um 19:30 MEZ"},
        Row{"PosixLocale", "2026-11-20T18:30:00Z", "Europe/Berlin", "de_TH.UTF-8@calendar=buddhist",
            "20. November 2026 um 19:30 MEZ"},
        Row{"OnlyAnExtension", "2026-12-01T12:00:00Z", "UTC", "u-ca-buddhist",
            "December 1, 2026 at 12:00 PM UTC"},
        Row{"UnknownLocale", "2026-11-20T19:30:00Z", "UTC", "xx-YY",
            "November 20, 2026 at 7:30 PM UTC"},
        Row{"NoLocale", "2026-11-20T19:30:00Z", "UTC", "", "November 20, 2026 at 7:30 PM UTC"},
        Row{"SenselessLocale", "2026-11-20T19:30:00Z", "UTC", "../../etc/passwd",
            "November 20, 2026 at 7:30 PM UTC"},
        Row{"UnknownZone", "2026-11-20T19:30:00Z", "Mars/Olympus", "en",
            "November 20, 2026 at 7:30 PM UTC"},
        Row{"NoZone", "2026-11-20T19:30:00Z", "", "en", "November 20, 2026 at 7:30 PM UTC"},
        Row{"SenselessZone", "2026-11-20T19:30:00Z", "\xFF\xFE'; drop", "en",
            "November 20, 2026 at 7:30 PM UTC"}),
    [](const auto& row) { return row.param.name; });

TEST(DateFormatter, HaveOneCalendarAndLatinDigitsInEveryLanguageAndRegion) {
    DateFormatter dates;
    const auto when = moment("2026-12-01T12:34:00Z");
    for (const auto* const locale : {"th",
                                     "th-TH",
                                     "ar",
                                     "ar-SA",
                                     "ar-EG",
                                     "ar-AE-u-nu-arab",
                                     "fa",
                                     "fa-IR",
                                     "ps-AF",
                                     "ckb-IR",
                                     "fr-TH",
                                     "es-TH",
                                     "fr-u-ca-buddhist",
                                     "ja-u-ca-japanese",
                                     "ja-JP",
                                     "hi-u-nu-deva",
                                     "bn",
                                     "mr",
                                     "ne",
                                     "my",
                                     "dz",
                                     "ur-IN",
                                     "zh-TW",
                                     "am-ET",
                                     "he-u-ca-hebrew"}) {
        const auto text = dates.format(when, "UTC", locale);
        EXPECT_NE(text.find("2026"), std::string::npos) << locale << ": " << text;
        EXPECT_NE(text.find("34"), std::string::npos) << locale << ": " << text;
        const auto distance = dates.relative(when + 34min, when, locale);
        EXPECT_NE(distance.find("34"), std::string::npos) << locale << ": " << distance;
    }
}

TEST(DateFormatter, AnswerTheSameWhenTheCachesOverflow) {
    DateFormatter dates;
    const auto when = moment("2026-11-20T19:30:00Z");
    const auto first = dates.format(when, "Asia/Kathmandu", "en");
    for (std::size_t i = 0; i < DateFormatter::results_max + 100; ++i) {
        const auto other = when + std::chrono::minutes{i};
        ASSERT_FALSE(dates.format(other, i % 2 == 0 ? "UTC" : "Asia/Tokyo", "en").empty());
    }
    for (std::size_t i = 0; i < DateFormatter::zones_max + 10; ++i) {
        ASSERT_FALSE(dates.format(when, "GMT+" + std::to_string(i), "en").empty());
    }
    EXPECT_EQ(dates.format(when, "Asia/Kathmandu", "en"), first);
}

TEST(DateFormatter, KeepAnSmsInGsm7) {
    DateFormatter dates;
    const auto when = moment("2026-11-21T00:30:00Z");
    EXPECT_FALSE(count_segments(dates.format(when, "UTC", "en-US")).unicode);
    // ICU 72 writes "a. m." with a no-break space, which would more than halve the room; ICU 76
    // writes "a.m.".
    const auto spanish = dates.format(when, "UTC", "es-US");
    EXPECT_FALSE(count_segments(spanish).unicode);
    EXPECT_THAT(spanish, ::testing::AnyOf("21 de noviembre de 2026, 12:30 a. m. UTC",
                                          "21 de noviembre de 2026, 12:30 a.m. UTC"));
}

TEST(Relative, SaysHowLongAndNeverTooLate) {
    DateFormatter dates;
    const auto now = moment("2026-11-20T19:30:00Z");
    const auto in = [&](auto distance) { return dates.relative(now + distance, now, "en"); };
    EXPECT_EQ(in(15min), "in 15 minutes");
    EXPECT_EQ(in(14min + 30s), "in 15 minutes");
    EXPECT_EQ(in(1min), "in 1 minute");
    EXPECT_EQ(in(29s), "now");
    EXPECT_EQ(in(0s), "now");
    EXPECT_EQ(in(-3h), "now");
    EXPECT_EQ(in(59min), "in 59 minutes");
    EXPECT_EQ(in(60min), "in 1 hour");
    EXPECT_EQ(in(90min), "in 90 minutes");
    EXPECT_EQ(in(114min), "in 114 minutes");
    EXPECT_EQ(in(115min), "in 2 hours");
    EXPECT_EQ(in(179min), "in 3 hours");
    EXPECT_EQ(in(174min), "in 2 hours") << "in 3 hours would make people come late";
    EXPECT_EQ(in(12h), "in 12 hours");
    EXPECT_EQ(in(24h), "in 24 hours");
    EXPECT_EQ(in(48h), "in 2 days");
    EXPECT_EQ(in(14 * 24h - 2min), "in 14 days");
    EXPECT_EQ(in(14 * 24h - 61min), "in 13 days");
}

TEST(Relative, SpeaksOtherLanguages) {
    DateFormatter dates;
    const auto now = moment("2026-11-20T19:30:00Z");
    EXPECT_EQ(dates.relative(now + 15min, now, "de"), "in 15 Minuten");
    EXPECT_EQ(dates.relative(now + 1min, now, "de-AT"), "in 1 Minute");
    EXPECT_EQ(dates.relative(now, now, "de"), "jetzt");
    EXPECT_EQ(dates.relative(now + 15min, now, "pl"), "za 15 minut");
    EXPECT_EQ(dates.relative(now + 15min, now, "xx"), "in 15 minutes");
}

TEST(DateFormatter, WritesOnlyWhatAnSmsHasRoomFor) {
    DateFormatter dates;
    const auto text = dates.format(TimePoint{}, "America/Los_Angeles", "fr");
    EXPECT_EQ(text, "31 d\u00E9cembre 1969 \u00E0 16:00 UTC-8") << "U+2212 is not in GSM-7";
}

TEST(MinutesUntil, RoundsToTheNearestAndNeverBelowZero) {
    const auto evening = moment("2026-11-20T19:30:00Z");
    EXPECT_EQ(minutes_until(evening + 15min, evening), 15);
    EXPECT_EQ(minutes_until(evening + 14min + 29s, evening), 14);
    EXPECT_EQ(minutes_until(evening + 14min + 30s, evening), 15);
    EXPECT_EQ(minutes_until(evening + 13min + 30s, evening), 14);
    EXPECT_EQ(minutes_until(evening + 29s, evening), 0);
    EXPECT_EQ(minutes_until(evening, evening), 0);
    EXPECT_EQ(minutes_until(evening - 15min, evening), 0);
}

}  // namespace
}  // namespace fanfare
