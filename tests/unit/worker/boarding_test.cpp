#include "worker/send/boarding.hpp"

#include "core/clock/timer.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class BoardingTest : public ::testing::Test {
protected:
    asio::awaitable<void> board(std::string name, std::size_t wanted, Boarding::Chunk& chunk) {
        const Boarding::Wish wish{wanted, clock.steady_now() + seconds{10}};
        const auto granted = co_await boarding.board(chunk, wish);
        called.emplace_back(std::move(name), granted);
    }
    Boarding::Chunk& arrive(bool urgent = false) {
        return chunks.emplace_back(boarding.arrive(urgent));
    }
    void come(std::string name, std::size_t wanted, Boarding::Chunk& chunk) {
        test::begin(context, board(std::move(name), wanted, chunk));
        test::settle(context);
    }
    void come(std::string name, std::size_t wanted, bool urgent = false) {
        come(std::move(name), wanted, arrive(urgent));
    }
    void settled() {
        boarding.settled();
        test::settle(context);
    }
    asio::awaitable<void> depart(int who, const Boarding::Chunk& chunk) {
        const bool may_begin = co_await boarding.depart(chunk);
        (may_begin ? departed : kept_back).push_back(who);
    }
    void give_back(int permits_back, std::size_t chunk = 0) {
        for (int i = 0; i < permits_back; ++i) boarding.give_back(chunks[chunk]);
        test::settle(context);
    }
    void end_one(std::size_t chunk = 0) {
        boarding.end(chunks[chunk]);
        boarding.look_again();
        test::settle(context);
    }
    void prove() {
        for (int i = 0; i < 3; ++i) {
            breaker.answered(breaker.begin(1, clock.steady_now()), true, 1, clock.steady_now());
        }
    }
    void TearDown() override {
        shut = true;
        boarding.look_again();
        test::settle(context);
    }

    asio::io_context context{1};
    ManualClock clock{TimePoint{}};
    Permits permits{8};
    Breaker breaker;
    bool shut = false;
    Boarding boarding{{context.get_executor(), permits, breaker, clock, [this] { return shut; }}};
    std::deque<Boarding::Chunk> chunks;
    std::vector<std::pair<std::string, std::size_t>> called;
    std::vector<int> departed, kept_back;
};

TEST_F(BoardingTest, GivesWhoComesFirstAllThatIsFree) {
    prove();
    come("a", 20);
    EXPECT_THAT(called, ElementsAre(Pair("a", 8)));
    EXPECT_EQ(permits.free(true), 0U);
}

TEST_F(BoardingTest, WhoComesAtOnceSharesTheFirstWave) {
    prove();
    for (const auto* const name : {"a", "b", "c"}) {
        test::begin(context, board(name, 2, arrive()));
    }
    test::settle(context);
    EXPECT_THAT(called, ElementsAre(Pair("a", 2), Pair("b", 2), Pair("c", 2)));
}

TEST_F(BoardingTest, KeepsWhatComesBackTogetherUntilTheWaveIsMarked) {
    prove();
    come("a", 8);
    come("b", 2);
    come("c", 9);
    called.clear();
    give_back(5);
    EXPECT_THAT(called, IsEmpty()) << "the mark of a is being written";
    settled();
    EXPECT_THAT(called, ElementsAre(Pair("b", 2), Pair("c", 3))) << "two share the next wave";
}

TEST_F(BoardingTest, WhoIsMarkedAheadDepartsWhenAnotherIsOver) {
    prove();
    permits.set_ahead(true);
    come("a", 11);
    come("b", 2);
    settled();
    EXPECT_THAT(called, ElementsAre(Pair("a", 8), Pair("b", 2)));
    for (int who = 0; who < 8; ++who) test::begin(context, depart(who, chunks[0]));
    test::begin(context, depart(8, chunks[1]));
    test::begin(context, depart(9, chunks[1]));
    test::begin(context, depart(10, arrive(true)));
    test::settle(context);
    EXPECT_THAT(departed, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
    end_one();
    EXPECT_EQ(departed.back(), 10) << "urgent ones first";
    end_one();
    EXPECT_EQ(departed.back(), 8);
    shut = true;
    boarding.look_again();
    test::settle(context);
    EXPECT_EQ(departed.size(), 10U);
    EXPECT_THAT(kept_back, ElementsAre(9));
}

TEST_F(BoardingTest, NoChunkHoldsMoreThanMayBeInFlightWhateverIsMarkedAhead) {
    prove();
    permits.set_ahead(true);
    come("a", 20);
    settled();
    come("a again", 12, chunks[0]);
    come("b", 3);
    settled();
    EXPECT_THAT(called, ElementsAre(Pair("a", 8), Pair("b", 3))) << "who comes after it passes it";
    for (int who = 0; who < 8; ++who) test::begin(context, depart(who, chunks[0]));
    test::settle(context);
    end_one();
    end_one();
    EXPECT_THAT(called, ElementsAre(Pair("a", 8), Pair("b", 3), Pair("a again", 1)));
    EXPECT_EQ(chunks[0].permits, 7U);
}

TEST_F(BoardingTest, NobodyIsMarkedAheadOfAnUrgentChunkThatHoldsAllItMay) {
    prove();
    permits.set_ahead(true);
    come("soon", 9, true);
    settled();
    come("soon again", 1, chunks[0]);
    come("b", 3);
    EXPECT_THAT(called, ElementsAre(Pair("soon", 8)));
    for (int who = 0; who < 8; ++who) test::begin(context, depart(who, chunks[0]));
    test::settle(context);
    end_one();
    EXPECT_THAT(called, ElementsAre(Pair("soon", 8), Pair("soon again", 1), Pair("b", 3)));
}

TEST_F(BoardingTest, NobodyIsMarkedAheadOfAnAccountThatIsNotProven) {
    permits.set_ahead(true);
    come("a", 8);
    come("b", 3);
    EXPECT_THAT(called, ElementsAre(Pair("a", 8)));
}

TEST_F(BoardingTest, ServesUrgentChunksFirst) {
    prove();
    come("a", 8);
    come("b", 1);
    come("soon", 8, true);
    come("sooner", 8, true);
    called.clear();
    give_back(8);
    settled();
    EXPECT_THAT(called, ElementsAre(Pair("soon", 8)));
    called.clear();
    give_back(1, 2);
    settled();
    EXPECT_THAT(called, ElementsAre(Pair("sooner", 1)));
}

TEST_F(BoardingTest, ServesTheChunkThatCameFirstUntilAllOfItHasBegun) {
    prove();
    auto& first = arrive();
    come("first", 8, first);
    come("second", 8);
    come("soon", 1, true);
    come("first again", 8, first);
    called.clear();
    give_back(8);
    settled();
    EXPECT_THAT(called, ElementsAre(Pair("soon", 1), Pair("first again", 7)));
}

TEST_F(BoardingTest, LetsOneChunkAtATimeTryAnAccountThatIsNotProven) {
    come("a", 3);
    come("b", 3);
    EXPECT_THAT(called, ElementsAre(Pair("a", 3)));
    std::ignore = breaker.begin(10, clock.steady_now());
    settled();
    EXPECT_THAT(called, ElementsAre(Pair("a", 3))) << "as many people as may be are under way";
}

TEST_F(BoardingTest, NobodyWaitsForAnAccountThatIsShut) {
    prove();
    come("a", 8);
    come("b", 1);
    called.clear();
    shut = true;
    boarding.look_again();
    test::settle(context);
    EXPECT_THAT(called, ElementsAre(Pair("b", 0)));
    called.clear();
    come("c", 1);
    EXPECT_THAT(called, ElementsAre(Pair("c", 0)));
}

TEST_F(BoardingTest, NobodyWaitsLongerThanTheirLeaseLasts) {
    prove();
    come("a", 8);
    come("b", 1);
    called.clear();
    clock.advance(seconds{10});
    give_back(1);
    EXPECT_THAT(called, ElementsAre(Pair("b", 0)));
}

/// Waves whose marks take 8 ms.
class SlowMarksTest : public ::testing::Test {
protected:
    SlowMarksTest() {
        time.attach(loop);
        for (int i = 0; i < 3; ++i) {
            breaker.answered(breaker.begin(1, time.steady_now()), true, 1, time.steady_now());
        }
    }
    ~SlowMarksTest() override {
        shut = true;
        boarding.look_again();
        time.run_for(100ms);
    }
    asio::awaitable<void> board(std::size_t wanted, Boarding::Chunk& chunk) {
        const Boarding::Wish wish{wanted, time.steady_now() + seconds{10}};
        const auto granted = co_await boarding.board(chunk, wish);
        called.push_back(granted);
        if (granted > 0) co_await pause_for(8ms);
        boarding.settled();
    }
    void come(std::size_t wanted, bool urgent = false) {
        test::begin(loop, board(wanted, chunks.emplace_back(boarding.arrive(urgent))));
        time.run_for(0ms);
    }
    void give_back(int permits_back) {
        for (int i = 0; i < permits_back; ++i) boarding.give_back(chunks[0]);
        time.run_for(0ms);
    }

    VirtualTime time{TimePoint{}};
    asio::io_context loop{1};
    Permits permits{8};
    Breaker breaker;
    bool shut = false;
    Boarding boarding{{loop.get_executor(), permits, breaker, time, [this] { return shut; }}};
    std::deque<Boarding::Chunk> chunks;
    std::vector<std::size_t> called;
};

TEST_F(SlowMarksTest, ThePermitThatComesBackFirstWaitsForOthers) {
    come(8);
    come(3);
    come(5);
    time.run_for(10ms);
    give_back(1);
    time.run_for(3ms);
    EXPECT_THAT(called, ElementsAre(8U)) << "half of what the last wave took is not over";
    give_back(6);
    EXPECT_THAT(called, ElementsAre(8U)) << "one more may come";
    time.run_for(1ms);
    EXPECT_THAT(called, ElementsAre(8U, 3U, 4U));
}

TEST_F(SlowMarksTest, WhoseTimeIsOverIsCalledThoughSomebodyHasTheTurn) {
    Boarding::Chunk first = boarding.arrive(false);
    const auto take_turn = [](Boarding& of, Boarding::Chunk& chunk,
                              SteadyTime latest) -> asio::awaitable<void> {
        std::ignore = co_await of.board(chunk, {1, latest});  // It waits for a slot, and for long.
    };
    test::begin(loop, take_turn(boarding, first, time.steady_now() + 1min));
    time.run_for(0ms);
    come(3);
    time.run_for(11s);
    EXPECT_THAT(called, ElementsAre(0U)) << "its lease does not wait";
}

TEST_F(SlowMarksTest, NobodyWaitsWhereNobodyElseIsToCome) {
    come(8);
    come(3);
    time.run_for(10ms);
    give_back(3);
    EXPECT_THAT(called, ElementsAre(8U, 3U)) << "all that is wished for is there";
    come(8);
    time.run_for(10ms);
    give_back(8);
    EXPECT_THAT(called, ElementsAre(8U, 3U, 8U)) << "all permits are";
}

TEST_F(SlowMarksTest, TheFirstPermitOfALoneChunkThatHoldsAllOthersWaitsForThem) {
    permits.set_ahead(true);
    come(8);
    time.run_for(10ms);
    test::begin(loop, board(5, chunks[0]));
    give_back(1);
    time.run_for(3ms);
    EXPECT_THAT(called, ElementsAre(8U)) << "a statement for one request";
    give_back(4);
    time.run_for(1ms);
    EXPECT_THAT(called, ElementsAre(8U, 5U));
}

TEST_F(SlowMarksTest, AnUrgentChunkTakesWhatIsFree) {
    come(8);
    come(3);
    time.run_for(10ms);
    give_back(1);
    EXPECT_THAT(called, ElementsAre(8U));
    come(2, true);
    EXPECT_THAT(called, ElementsAre(8U, 1U));
}

TEST_F(SlowMarksTest, WhoIsSentAwayMeanwhileKeepsNobodyWaiting) {
    come(8);
    come(3);
    time.run_for(10ms);
    give_back(1);
    shut = true;
    boarding.look_again();
    time.run_for(10ms);
    EXPECT_THAT(called, ElementsAre(8U, 0U));
    shut = false;
    come(3);
    EXPECT_THAT(called, ElementsAre(8U, 0U)) << "for as long as the wave took";
    time.run_for(5ms);
    EXPECT_THAT(called, ElementsAre(8U, 0U, 1U));
}

}  // namespace
}  // namespace fanfare
