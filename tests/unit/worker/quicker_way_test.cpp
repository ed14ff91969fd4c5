#include "worker/send/quicker_way.hpp"

#include <gtest/gtest.h>

#include <map>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t people = 200;

/// Asks so many times, each way taking what `cost` says; how often each was taken.
std::map<ContactWay, int> ask(QuickerWay& ways, int times,
                              std::map<ContactWay, std::chrono::microseconds> cost) {
    std::map<ContactWay, int> taken;
    for (int i = 0; i < times; ++i) {
        const auto way = ways.choose();
        ways.took(way, people, cost[way]);
        ++taken[way];
    }
    return taken;
}

TEST(QuickerWayTest, BothAreTriedTheRangeFirst) {
    QuickerWay ways;
    EXPECT_EQ(ways.choose(), ContactWay::range);
    ways.took(ContactWay::range, people, 1ms);
    EXPECT_EQ(ways.choose(), ContactWay::key);
    ways.took(ContactWay::key, people, 1ms);
    EXPECT_EQ(ways.choose(), ContactWay::range) << "about equal";
}

TEST(QuickerWayTest, WhatTakesLessIsTakenAndTheOtherCostsLittle) {
    for (const auto quick : {ContactWay::range, ContactWay::key}) {
        const auto slow = quick == ContactWay::key ? ContactWay::range : ContactWay::key;
        QuickerWay ways;
        ask(ways, 1'000, {{quick, 500us}, {slow, 5'000us}});
        auto later = ask(ways, 10'000, {{quick, 500us}, {slow, 5'000us}});
        EXPECT_GT(later[slow], 5) << "tables grow, and get indexes";
        EXPECT_LE((later[slow] - 1) * 5'000, 10'000 * 500 / QuickerWay::try_again_after);
    }
}

TEST(QuickerWayTest, ASlowMomentOfTheMachineTurnsNobody) {
    QuickerWay ways;
    ask(ways, 200, {{ContactWay::range, 500us}, {ContactWay::key, 900us}});
    ask(ways, 3, {{ContactWay::range, 50'000us}, {ContactWay::key, 900us}});
    auto later = ask(ways, 20, {{ContactWay::range, 500us}, {ContactWay::key, 900us}});
    EXPECT_GE(later[ContactWay::range], 19) << "but for a try";
}

TEST(QuickerWayTest, WhoBecomesSlowerForGoodIsLeft) {
    QuickerWay ways;
    ask(ways, 200, {{ContactWay::range, 500us}, {ContactWay::key, 900us}});
    auto later = ask(ways, 200, {{ContactWay::range, 9'000us}, {ContactWay::key, 900us}});
    EXPECT_GT(later[ContactWay::key], 150);
    ask(ways, 2'000, {{ContactWay::range, 500us}, {ContactWay::key, 900us}});  // An index is made.
    EXPECT_EQ(ways.choose(), ContactWay::range);
}

TEST(QuickerWayTest, OneQuestionTriesAtATime) {
    QuickerWay ways;
    EXPECT_EQ(ways.choose(), ContactWay::range);
    EXPECT_EQ(ways.choose(), ContactWay::range) << "nothing is known yet";
    ways.took(ContactWay::range, people, 1ms);
    EXPECT_EQ(ways.choose(false), ContactWay::range) << "urgent ones try nothing";
    EXPECT_EQ(ways.choose(), ContactWay::key);
    EXPECT_EQ(ways.choose(), ContactWay::range) << "it may take half a minute";
    ways.left(ContactWay::key);
    EXPECT_EQ(ways.choose(), ContactWay::key);
}

TEST(QuickerWayTest, TimesAreThoseOfAPerson) {
    QuickerWay ways;
    ways.took(ContactWay::range, 1'000, 5ms);
    ways.took(ContactWay::key, 100, 2ms);
    EXPECT_EQ(ways.choose(false), ContactWay::range);
}

TEST(QuickerWayTest, WhatTakesEndlesslyIsHardlyTriedAgain) {
    QuickerWay ways;
    ways.took(ContactWay::range, people, 500us);
    ways.took(ContactWay::key, people, 30s);
    auto later = ask(ways, 100'000, {{ContactWay::range, 500us}, {ContactWay::key, 30'000'000us}});
    EXPECT_EQ(later[ContactWay::key], 0);
}

}  // namespace
}  // namespace fanfare
