// What is one number for all programs is shown by one producer.
#include "producer/figures/elected.hpp"

#include "database_case.hpp"
#include "shifted_clock.hpp"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class ElectedTest : public testing::LedgerCase {
protected:
    std::unique_ptr<ElectedFigures> producer(const std::string& name) {
        return std::make_unique<ElectedFigures>(ElectedFigures::Parts{*pool, systems, clock, name});
    }
    static bool shows(const ElectedFigures& figures) {
        const auto families = figures.Collect();
        const bool elected = families.back().metric.at(0).gauge.value == 1;
        EXPECT_EQ(families.size() > 1, elected);
        return elected;
    }
    /// For the database as for the programs.
    void let_pass(std::chrono::seconds time) {
        advance(std::to_string(time.count()) + " s");
        clock.shift = clock.shift.load() + time;
    }

    testing::ShiftedClock clock;
};

TEST_F(ElectedTest, OneOfTwoShowsThem) {
    auto one = producer("one");
    auto other = producer("other");
    EXPECT_FALSE(shows(*one)) << "not before it is elected";
    one->turn();
    other->turn();
    EXPECT_TRUE(shows(*one));
    EXPECT_FALSE(shows(*other));
    let_pass(ElectedFigures::lease - 1s);
    one->turn();
    let_pass(2s);
    other->turn();
    EXPECT_TRUE(shows(*one)) << "it holds the lease for longer";
    EXPECT_FALSE(shows(*other));
}

TEST_F(ElectedTest, AnotherTakesThePlaceOfOneThatDied) {
    auto dead = producer("dead");
    auto other = producer("other");
    dead->turn();
    let_pass(ElectedFigures::lease);
    EXPECT_FALSE(shows(*dead)) << "somebody else may have the lease by now";
    other->turn();
    EXPECT_TRUE(shows(*other));
    dead->turn();
    EXPECT_FALSE(shows(*dead)) << "it lives, and hears that it has lost it";
}

TEST_F(ElectedTest, OneThatEndsGivesItsPlaceBack) {
    auto one = producer("one");
    one->start();
    while (!shows(*one)) std::this_thread::yield();
    one->stop();
    one->join();
    EXPECT_FALSE(shows(*one));
    auto other = producer("other");
    other->turn();
    EXPECT_TRUE(shows(*other)) << "without waiting for the lease to end";
}

TEST_F(ElectedTest, WhatWasCountedIsAddedUp) {
    sql("INSERT INTO outcome_move SELECT 'shows', 'show.reminder', 0, -1, 0, 1 "
        "FROM generate_series(1, 25000)");
    auto one = producer("one");
    one->turn();
    EXPECT_EQ(ask("SELECT count(*) FROM outcome_move"), "0");
    EXPECT_EQ(ask("SELECT people FROM outcome_total"), "25000");
    for (const auto& family : one->Collect()) {
        if (family.name != "fanfare_recipients") continue;
        EXPECT_EQ(family.metric.at(0).gauge.value, 25'000);
    }
}

}  // namespace
}  // namespace fanfare
