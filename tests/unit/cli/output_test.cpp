#include "cli/output.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace fanfare::cli {
namespace {

TEST(Table, AlignsWordsLeftAndNumbersRight) {
    EXPECT_EQ(to_table({{{"name", std::string{"a"}}, {"count", std::int64_t{1234567}}},
                        {{"name", std::string{"Zoë"}}, {"count", std::int64_t{5}}}}),
              "name      count\n"
              "a     1,234,567\n"
              "Zoë           5\n");
}

TEST(Table, CannotDriveATerminal) {
    EXPECT_EQ(to_table({{{"a", std::string{"x\x1b[2Jy\nz"}}}}), "a\nx?[2Jy?z\n");
}

TEST(Json, WhateverTheBytes) {
    EXPECT_EQ(to_json({{"a", std::string{"q\"\xff"}},
                       {"b", true},
                       {"c", std::nan("")},
                       {"d", std::vector<std::string>{"x"}}}),
              "{\"a\":\"q\\\"\xef\xbf\xbd\",\"b\":true,\"c\":null,\"d\":[\"x\"]}");
}

TEST(Numbers, AreGrouped) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(-123456), "-123,456");
}

TEST(Durations, AreShort) {
    EXPECT_EQ(format_duration(3.21), "3.2s");
    EXPECT_EQ(format_duration(62), "1m 2s");
    EXPECT_EQ(format_duration(3725), "1h 2m");
    EXPECT_EQ(format_duration(90'000), "1d 1h");
    EXPECT_EQ(format_duration(-1), "-");
}

TEST(Durations, AreRead) {
    using std::chrono::seconds;
    EXPECT_EQ(parse_duration("90s"), seconds{90});
    EXPECT_EQ(parse_duration("30m"), seconds{1'800});
    EXPECT_EQ(parse_duration("2h"), seconds{7'200});
    EXPECT_EQ(parse_duration("1d"), seconds{86'400});
    for (const auto* const none : {"", "s", "5", "0s", "-1s", "1.5h", "2 h", "5w", "h2",
                                   "99999999999999999999s", "9999999d"}) {
        EXPECT_FALSE(parse_duration(none)) << none;
    }
}

}  // namespace
}  // namespace fanfare::cli
