#include "cli/progress.hpp"

#include <gmock/gmock.h>

namespace fanfare::cli {
namespace {

ledger::ChannelProgress channel_of(std::int64_t pending, std::int64_t sent, std::int64_t retry) {
    ledger::ChannelProgress channel;
    channel.channel = "email";
    channel.planned = pending + sent + retry;
    channel.outcomes[static_cast<std::size_t>(Outcome::pending)] = pending;
    channel.outcomes[static_cast<std::size_t>(Outcome::sent)] = sent;
    channel.outcomes[static_cast<std::size_t>(Outcome::retry)] = retry;
    return channel;
}

TEST(Settled, PendingAndRetryAreNot) {
    EXPECT_EQ(count_settled(channel_of(5, 7, 3)), 7);
    EXPECT_EQ(count_accepted(channel_of(5, 7, 3)), 7);
}

TEST(Rate, NeedsTwoSamples) {
    RateEstimate rate;
    EXPECT_FALSE(rate.per_second());
    rate.sample(1, 100);
    EXPECT_FALSE(rate.per_second());
    rate.sample(2, 350);
    EXPECT_DOUBLE_EQ(rate.per_second().value(), 250);
}

TEST(Rate, FollowsAChangeWithinSecondsNotAtOnce) {
    RateEstimate rate;
    std::int64_t settled = 0;
    double at = 0;
    for (int i = 0; i < 10; ++i) rate.sample(at++, settled += 100);
    EXPECT_NEAR(rate.per_second().value(), 100, 1);
    rate.sample(at++, settled += 1000);
    EXPECT_LT(rate.per_second().value(), 400);
    for (int i = 0; i < 30; ++i) rate.sample(at++, settled += 1000);
    EXPECT_NEAR(rate.per_second().value(), 1000, 10);
}

TEST(Rate, NoTimeAndNoNewsDoNoHarm) {
    RateEstimate rate;
    rate.sample(1, 10);
    rate.sample(1, 20);
    EXPECT_FALSE(rate.per_second());
    rate.sample(2, 5);  // A replay put some back: never negative.
    EXPECT_GE(rate.per_second().value(), 0);
}

TEST(Eta, IsRemainingByRate) {
    EXPECT_DOUBLE_EQ(eta_s(500, 250).value(), 2);
    EXPECT_DOUBLE_EQ(eta_s(0, std::nullopt).value(), 0);
    EXPECT_FALSE(eta_s(500, std::nullopt));
    EXPECT_FALSE(eta_s(500, 0.0));
}

TEST(Bar, IsFullOnlyWhenAllIsDone) {
    EXPECT_EQ(draw_bar(0, 100, 10), "[          ]   0%");
    EXPECT_EQ(draw_bar(45, 100, 10), "[####      ]  45%");
    EXPECT_EQ(draw_bar(999'999, 1'000'000, 10), "[######### ]  99%");
    EXPECT_EQ(draw_bar(100, 100, 10), "[##########] 100%");
    EXPECT_EQ(draw_bar(120, 100, 10), "[##########] 100%");
    EXPECT_EQ(draw_bar(0, 0, 10), "[          ]   0%");
}

TEST(Line, ShowsWhatThereIsAndHowLongItTakes) {
    EXPECT_EQ(channel_line(channel_of(500, 500, 0), 250, false),
              "email [############            ]  50% 500/1,000 settled | sent 500 | 250/s | 2.0s "
              "left");
    EXPECT_EQ(channel_line(channel_of(0, 1000, 0), 250, true),
              "email [########################] 100% 1,000/1,000 settled | sent 1,000");
}

TEST(Line, PromisesNothingWhileAllOthersWait) {
    auto channel = channel_of(500, 500, 0);
    channel.waits_s = 7'200;
    const auto line = channel_line(channel, 0.02, false);
    EXPECT_EQ(line,
              "email [############            ]  50% 500/1,000 settled | sent 500 | all others "
              "wait, the first for 2h 0m");
}

TEST(Over, ThreeStatesAre) {
    for (const auto* const state : {"done", "cancelled", "failed"}) EXPECT_TRUE(is_over(state));
    for (const auto* const state : {"planning", "sending", ""}) EXPECT_FALSE(is_over(state));
}

}  // namespace
}  // namespace fanfare::cli
