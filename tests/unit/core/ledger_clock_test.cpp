#include "core/ledger/clock.hpp"

#include <gtest/gtest.h>

namespace fanfare::ledger {
namespace {

using namespace std::chrono_literals;

/// A machine and a database, whose clocks a test moves one by one.
class Machine final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override {
        return TimePoint{1'800'000'000s + wall_};
    }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return SteadyTime{100s + running_};
    }

    void pass(std::chrono::microseconds time) {
        wall_ += time;
        running_ += time;
    }
    void set_wall(std::chrono::microseconds step) { wall_ += step; }

private:
    std::chrono::microseconds wall_{};
    std::chrono::microseconds running_{};
};

class LedgerClockTest : public ::testing::Test {
protected:
    [[nodiscard]] TimePoint theirs() const { return machine.now() + ahead; }
    void look(std::chrono::microseconds took = 2ms) {
        ClockReading reading;
        reading.asked = machine.steady_now();
        reading.theirs = theirs() + took / 2;
        machine.pass(took);
        reading.answered = machine.steady_now();
        clock.learn(reading);
    }
    void look_for(std::chrono::seconds time) {
        for (auto left = time; left > 0s; left -= 1s) {
            machine.pass(1s);
            look();
        }
    }

    Machine machine;
    std::chrono::microseconds ahead{0};  // The database's clock, of the machine's.
    LedgerClock clock{machine};
};

TEST_F(LedgerClockTest, ShowsTheMachinesTimeUntilItKnowsBetter) {
    machine.pass(1h);
    EXPECT_EQ(clock.now(), machine.now());
    EXPECT_TRUE(clock.is_steady());
}

TEST_F(LedgerClockTest, ShowsTheDatabasesTimeOnAMachineThatIsWrong) {
    for (const auto skew : {2h, -2h}) {
        Machine fresh;
        LedgerClock mine{fresh};
        mine.learn({fresh.now() + skew, fresh.steady_now(), fresh.steady_now()});
        EXPECT_EQ(mine.now(), fresh.now() + skew);
        EXPECT_EQ(mine.skew(), skew);
        EXPECT_TRUE(mine.is_steady()) << "the leases go by the database's clock, and so does all";
        fresh.pass(10min);
        EXPECT_EQ(mine.now(), fresh.now() + skew);
    }
}

TEST_F(LedgerClockTest, GoesOnWhileTheDatabaseIsAway) {
    ahead = 90s;
    look();
    machine.pass(3h);
    EXPECT_EQ(clock.now(), theirs());
}

TEST_F(LedgerClockTest, IsNotMovedByTheMachinesOwnClock) {
    look();
    const auto before = clock.now();
    for (const auto step : {24h, -48h, 1h}) {
        machine.set_wall(step);
        ahead -= step;  // The database's stays as it is.
        EXPECT_EQ(clock.now(), before);
    }
    look();
    EXPECT_EQ(clock.now(), theirs());
    EXPECT_TRUE(clock.is_steady());
}

TEST_F(LedgerClockTest, IsNotMovedByAClockThatJumpsAndComesBack) {
    for (const auto step : {1h, -1h}) {
        look_for(5s);
        const auto right = ahead;
        ahead += step;
        look_for(2s);
        EXPECT_FALSE(clock.is_steady()) << "nothing new should begin";
        EXPECT_EQ(clock.now(), machine.now() + right);
        ahead = right;
        look();
        EXPECT_TRUE(clock.is_steady());
        EXPECT_EQ(clock.now(), theirs());
    }
}

TEST_F(LedgerClockTest, FollowsAClockThatWasSetOnceThatHasStood) {
    look();
    ahead = -1h;
    look_for(LedgerClock::settle_after - 1s);
    EXPECT_FALSE(clock.is_steady());
    EXPECT_EQ(clock.now(), machine.now());
    look_for(3s);
    EXPECT_TRUE(clock.is_steady());
    EXPECT_EQ(clock.now(), theirs());
}

TEST_F(LedgerClockTest, DoesNotFollowAClockThatNobodySawStand) {
    look();
    ahead = -1h;
    look();
    ahead = 0s;
    machine.pass(80s);  // The process stood still, or the database was away.
    ahead = -1h;
    look();
    EXPECT_FALSE(clock.is_steady());
    EXPECT_EQ(clock.now(), machine.now());
    look_for(LedgerClock::settle_after - LedgerClock::seen_max - 1s);
    EXPECT_FALSE(clock.is_steady());
    look_for(3s);
    EXPECT_TRUE(clock.is_steady()) << "now it was seen";
    EXPECT_EQ(clock.now(), theirs());
}

TEST_F(LedgerClockTest, WhoLooksSeldomFollowsAfterSomeLooks) {
    look();
    ahead = -1h;
    int looks = 0;
    do {
        machine.pass(15min);
        look();
        ++looks;
    } while (!clock.is_steady());
    EXPECT_EQ(looks, 1 + LedgerClock::settle_after / LedgerClock::seen_max);
}

TEST_F(LedgerClockTest, DoesNotFollowAClockThatKeepsJumping) {
    look();
    for (int i = 0; i < 20; ++i) {
        ahead = (i % 2 == 0) ? 1h : -1h;
        look_for(10s);
        EXPECT_FALSE(clock.is_steady());
        EXPECT_EQ(clock.now(), machine.now());
    }
}

TEST_F(LedgerClockTest, FollowsAtOnceAfterTheMachineSlept) {
    ahead = 20s;
    look();
    machine.set_wall(8h);  // The monotonic clock stood still.
    look();
    EXPECT_TRUE(clock.is_steady());
    EXPECT_EQ(clock.now(), theirs()) << "whoever goes by the old time tells people what is over";
}

TEST_F(LedgerClockTest, DoesNotLearnFromAnAnswerThatTookTooLong) {
    ahead = 10s;
    look();
    ahead = 1h;
    look(10s);
    EXPECT_TRUE(clock.is_steady());
    EXPECT_EQ(clock.now(), machine.now() + 10s);
}

}  // namespace
}  // namespace fanfare::ledger
