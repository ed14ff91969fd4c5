#include "core/providers/wait_hint.hpp"

#include "core/providers/provider.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t now = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT

TEST(RetryAfter, TakesSeconds) {
    EXPECT_EQ(parse_retry_after("120", now), seconds{120});
    EXPECT_EQ(parse_retry_after(" 1 ", now), seconds{1});
    EXPECT_EQ(parse_retry_after("0.25", now), milliseconds{250});
    EXPECT_EQ(parse_retry_after("0", now), seconds{0});
}

TEST(RetryAfter, TakesTheThreeDatesOfHttp) {
    for (const char* date : {"Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT",
                             "Sun Nov  6 08:50:37 1994"}) {
        EXPECT_EQ(parse_retry_after(date, now), seconds{60}) << date;
    }
}

TEST(RetryAfter, TakesTheDateOfEmail) {
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 09:50:37 +0100", now), seconds{60});
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 UTC", now), seconds{60});
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 -0000", now), seconds{60});
}

TEST(RetryAfter, IsAnHourAtMost) {
    EXPECT_EQ(parse_retry_after("3601", now), std::chrono::hours{1});
    EXPECT_EQ(parse_retry_after("99999999999999999999999999", now), std::chrono::hours{1});
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:50:37 GMT", now), std::chrono::hours{1});
}

TEST(RetryAfter, IsNothingWhereSenseless) {
    for (const std::string value :
         {"", " ", "-5", "+5", "1e9", "inf", "nan", "0x10", "1.2.3", "5 apples", "soon",
          "Sun, 06 Nov 1994 08:48:37 GMT", "Sun, 99 Nov 1994 08:50:37 GMT",
          "Sun, 06 Now 1994 08:50:37 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"}) {
        EXPECT_EQ(parse_retry_after(value, now), seconds{0}) << value;
    }
    EXPECT_EQ(parse_retry_after(std::string(100'000, '9'), now), seconds{0});
    EXPECT_EQ(parse_retry_after(std::string(100'000, ' ') + "x", now), seconds{0});
    EXPECT_EQ(parse_retry_after(std::string_view{"Sun, 06 Nov\0 2094 08:50:37 GMT", 30}, now),
              seconds{0});
}

TEST(RateLimitReset, CountsFromNow) {
    EXPECT_EQ(parse_rate_limit_reset("784111787", now), seconds{10});
    EXPECT_EQ(parse_rate_limit_reset("784111777.5", now), milliseconds{500});
    EXPECT_EQ(parse_rate_limit_reset("784111777", now), seconds{0});
    EXPECT_EQ(parse_rate_limit_reset("60", now), seconds{0});
    EXPECT_EQ(parse_rate_limit_reset("99999999999", now), std::chrono::hours{1});
    EXPECT_EQ(parse_rate_limit_reset("never", now), seconds{0});
}

TEST(WaitHint, PrefersRetryAfter) {
    HttpAnswer answer;
    answer.retry_after = "5";
    answer.rate_limit_reset = "784111787";
    EXPECT_EQ(wait_hint(answer, now), seconds{5});
    answer.retry_after = "rubbish";
    EXPECT_EQ(wait_hint(answer, now), seconds{10});
    answer.rate_limit_reset = "";
    EXPECT_EQ(wait_hint(answer, now), seconds{0});
}

}  // namespace
}  // namespace fanfare
