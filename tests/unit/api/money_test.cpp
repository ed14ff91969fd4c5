// Cost in millionths of a dollar: sums are exact, texts have cents.
#include "core/estimate/money.hpp"

#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

TEST(Money, AThousandRegisteredTimesEightMoments) {
    const auto email = total_cost(1'000, 8, to_micros(0.001));
    const auto sms = total_cost(1'000, 8, to_micros(0.0075));
    EXPECT_EQ(dollars(email), "8.00");
    EXPECT_EQ(dollars(sms), "60.00");
    EXPECT_EQ(dollars(email + sms), "68.00");
}

TEST(Money, WritesTwoToSixDecimals) {
    EXPECT_EQ(dollars(0), "0.00");
    EXPECT_EQ(dollars(1), "0.000001");
    EXPECT_EQ(dollars(7'500), "0.0075");
    EXPECT_EQ(dollars(1'100'000), "1.10");
    EXPECT_EQ(dollars(12'345'678'900), "12345.6789");
}

TEST(Money, RoundsAPriceToMillionthsAndNeverOverflows) {
    EXPECT_EQ(to_micros(0.1), 100'000);
    EXPECT_EQ(to_micros(0.0000004), 0);
    EXPECT_EQ(total_cost(1'000'000'000, 10'000, 100'000'000), 9'223'372'036'854'775'807);
}

}  // namespace
}  // namespace fanfare::api
