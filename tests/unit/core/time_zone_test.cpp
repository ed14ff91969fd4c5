#include "core/time_zones/time_zone.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

TimePoint day(int year, unsigned month, unsigned of_month) {
    return std::chrono::sys_days{std::chrono::year{year} / std::chrono::month{month} /
                                 std::chrono::day{of_month}};
}

std::string name_pattern(std::string_view text) {
    const auto zone = TimeZone::find(text);
    return zone ? zone->name() : "none";
}

TEST(TimeZones, AreFoundByTheirNamesHoweverTheyAreWritten) {
    EXPECT_EQ(name_pattern("America/New_York"), "America/New_York");
    EXPECT_EQ(name_pattern("america/new_york "), "America/New_York");
    EXPECT_EQ(name_pattern(" America/New York"), "America/New_York");
    EXPECT_EQ(name_pattern("EUROPE/PARIS"), "Europe/Paris");
    EXPECT_NE(name_pattern("asia/calcutta"), "none") << "an older name";
    for (const auto* const older : {"US/Eastern", "America/Buenos_Aires", "prc", "ROK", "GB"}) {
        EXPECT_NE(name_pattern(older), "none") << older;
    }
}

TEST(TimeZones, AreFoundByTheNamesOfWindows) {
    EXPECT_EQ(name_pattern("Pacific Standard Time"), "America/Los_Angeles");
    EXPECT_EQ(name_pattern("W. Europe Standard Time"), "Europe/Berlin");
    EXPECT_EQ(name_pattern(" china standard TIME "), "Asia/Shanghai");
    EXPECT_EQ(name_pattern("UTC-02"), "Etc/GMT+2");
}

TEST(TimeZones, AreNoneWhereNoneIsMeant) {
    for (const auto* const text :
         {"", " ", "Nowhere/Land", "zone.tab", "tzdata.zi", "../etc/passwd", "posix/UTC",
          "leapseconds", "localtime", "posixrules", "5", "+05"}) {
        EXPECT_EQ(name_pattern(text), "none") << text;
    }
    EXPECT_EQ(name_pattern(std::string(1'000, 'a')), "none");
}

TEST(TimeZones, HaveNoNamesButThoseOfTheSystem) {
    // Names of ICU's own, for places that few readers mean by them.
    for (const auto* const text : {"BST",
                                   "AST",
                                   "PST",
                                   "IST",
                                   "JST",
                                   "CST",
                                   "PRT",
                                   "PNT",
                                   "IET",
                                   "ACT",
                                   "AET",
                                   "AGT",
                                   "ART",
                                   "BET",
                                   "CAT",
                                   "CNT",
                                   "CTT",
                                   "EAT",
                                   "ECT",
                                   "MIT",
                                   "NET",
                                   "NST",
                                   "PLT",
                                   "SST",
                                   "VST",
                                   "bst",
                                   " ist ",
                                   "SystemV/PST8",
                                   "US/Pacific-New",
                                   "Etc/Unknown"}) {
        EXPECT_EQ(name_pattern(text), "none") << text;
    }
}

TEST(TimeZones, FollowTheSystemsDataNotIcus) {
    // Since March 2024 at +5, which ICU 72 does not know.
    const auto almaty = TimeZone::find("Asia/Almaty");
    ASSERT_TRUE(almaty);
    EXPECT_EQ(almaty->at(day(2026, 12, 1)).offset, 5h);
    // Younger than ICU 72.
    const auto juarez = TimeZone::find("America/Ciudad_Juarez");
    ASSERT_TRUE(juarez);
    EXPECT_EQ(juarez->at(day(2027, 7, 1)).offset, -6h);
    EXPECT_EQ(juarez->at(day(2027, 7, 1)).abbreviation, "MDT");
}

TEST(TimeZones, KnowWhichHalfOfTheYearIsAhead) {
    const auto dublin = TimeZone::find("Europe/Dublin").value();
    EXPECT_FALSE(dublin.at(day(2026, 1, 15)).is_summer);
    EXPECT_TRUE(dublin.at(day(2026, 7, 15)).is_summer);
    const auto new_york = TimeZone::find("America/New_York").value();
    EXPECT_FALSE(new_york.at(day(2026, 1, 15)).is_summer);
    EXPECT_TRUE(new_york.at(day(2026, 7, 15)).is_summer);
    EXPECT_FALSE(TimeZone::utc().at(day(2026, 7, 15)).is_summer);
}

TEST(TimeZones, SayWhenTheirClocksChange) {
    const auto berlin = TimeZone::find("Europe/Berlin").value();
    const auto period = berlin.at(day(2026, 3, 1));
    EXPECT_EQ(period.ends, TimePoint{day(2026, 3, 29)} + 1h);
    EXPECT_EQ(TimeZone::utc().at(day(2026, 3, 1)).ends, TimePoint::max());
}

TEST(TimeZones, SayTheVersionOfTheirData) { EXPECT_GE(time_zone_data_version().size(), 5U); }

}  // namespace
}  // namespace fanfare
