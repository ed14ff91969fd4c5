#include "worker/send/permits.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

/// So many requests go out together and come back well.
void round_of(Permits& permits, std::size_t count) {
    permits.take(count);
    for (std::size_t i = 0; i < count; ++i) permits.begin();
    for (; count > 0; --count) permits.end();
}

TEST(Permits, AreGivenBack) {
    Permits permits{3};
    permits.take(2);
    EXPECT_EQ(permits.free(true), 1U);
    permits.give_back();
    EXPECT_EQ(permits.free(true), 2U);
}

TEST(Permits, AreHalvedOnceForThoseThatWereOutTogether) {
    Permits permits{8};
    permits.take(12);  // Four are marked ahead.
    for (int i = 0; i < 8; ++i) permits.begin();
    for (int i = 0; i < 8; ++i) {
        permits.end();
        permits.shrink();
    }
    EXPECT_EQ(permits.limit(), 4U);
    for (int i = 0; i < 4; ++i) permits.begin();
    permits.end();
    permits.shrink();
    EXPECT_EQ(permits.limit(), 2U) << "those went out after it";
}

TEST(Permits, NeverFewerThanOne) {
    Permits permits{2};
    for (int i = 0; i < 5; ++i) {
        round_of(permits, 1);
        permits.shrink();
        round_of(permits, 1);
    }
    EXPECT_EQ(permits.limit(), 1U);
    EXPECT_EQ(permits.free(true), 1U);
}

TEST(Permits, OneMoreForEveryRoundThatWentWell) {
    Permits permits{8};
    round_of(permits, 1);
    permits.shrink();
    round_of(permits, 1);
    EXPECT_EQ(permits.limit(), 4U);
    round_of(permits, 4);
    EXPECT_EQ(permits.limit(), 5U);
    round_of(permits, 5);
    EXPECT_EQ(permits.limit(), 6U);
    for (int i = 0; i < 9; ++i) round_of(permits, 8);
    EXPECT_EQ(permits.limit(), 8U) << "and not beyond the bound";
}

TEST(Permits, AsManyAgainMayBeMarkedAheadAndNoMoreBeInFlight) {
    Permits permits{4};
    permits.set_ahead(true);
    EXPECT_EQ(permits.free(true), 8U);
    EXPECT_EQ(permits.free(false), 4U);
    permits.take(8);
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(permits.may_begin());
        permits.begin();
    }
    EXPECT_FALSE(permits.may_begin());
    permits.end();
    EXPECT_TRUE(permits.may_begin());
    EXPECT_EQ(permits.free(true), 1U);
    EXPECT_EQ(permits.free(false), 0U);
}

TEST(Permits, NobodyIsMarkedAheadWhileTheProviderSaysThatItIsTooMany) {
    Permits permits{4};
    permits.set_ahead(true);
    round_of(permits, 1);
    permits.shrink();
    EXPECT_EQ(permits.free(true), 2U);
}

TEST(Permits, AnotherBoundCountsAtOnceAndWhatIsBeyondItComesBack) {
    Permits permits{8};
    permits.take(8);
    permits.set_max(2);
    EXPECT_EQ(permits.free(true), 0U);
    for (int i = 0; i < 7; ++i) permits.give_back();
    EXPECT_EQ(permits.free(true), 1U);
}

}  // namespace
}  // namespace fanfare
