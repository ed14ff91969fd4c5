#include "producer/http/rate.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

const SteadyTime now = SteadyTime{} + std::chrono::hours{1};

TEST(Rate, LetsSoManyThroughASecond) {
    Rate rate{2};
    EXPECT_TRUE(rate.take(now));
    EXPECT_TRUE(rate.take(now));
    EXPECT_FALSE(rate.take(now));
    EXPECT_TRUE(rate.take(now + std::chrono::milliseconds{500}));
    EXPECT_FALSE(rate.take(now + std::chrono::milliseconds{500}));
}

TEST(Rates, AreEachOnesOwn) {
    Rates rates{1, 2};
    EXPECT_TRUE(rates.take("a", now));
    EXPECT_TRUE(rates.take("a", now));
    EXPECT_FALSE(rates.take("a", now));
    EXPECT_TRUE(rates.take("b", now));
    EXPECT_TRUE(rates.take("a", now + std::chrono::seconds{1}));
}

TEST(Rates, AreSoManyAndForgetWhoDoesNotCome) {
    Rates rates{1, 1};
    for (std::size_t i = 0; i < Rates::each_max; ++i) {
        EXPECT_TRUE(rates.take(std::to_string(i), now));
    }
    EXPECT_TRUE(rates.take("one more", now));
    EXPECT_FALSE(rates.take("and one more", now)) << "whoever is too many shares a rate";
    EXPECT_FALSE(rates.take("0", now)) << "who is known keeps his own";
    EXPECT_TRUE(rates.take("and one more", now + std::chrono::seconds{2}));
    EXPECT_TRUE(rates.take("and another", now + std::chrono::seconds{2}));
}

}  // namespace
}  // namespace fanfare
