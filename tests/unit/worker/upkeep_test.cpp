// What runs beside sending: the closer, write-backs, opt-outs and the watch over the time.
#include "core/clock/timer.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"
#include "worker/sweep/closer.hpp"
#include "worker/sweep/opt_outs.hpp"
#include "worker/sweep/time_watch.hpp"
#include "worker/sweep/write_backs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Names = std::vector<std::string>;

Failure away() { return fail(Errc::store_unavailable, "ask"); }

class UpkeepTest : public ::testing::Test {
protected:
    UpkeepTest() { time.attach(loop); }

    VirtualTime time{TimePoint{1'800'000'000s}};
    WorkerSettings settings;
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    asio::io_context loop{1};
};

class CloserTest : public UpkeepTest, public JobEnds {
protected:
    asio::awaitable<Result<std::vector<ledger::EndedJob>>> close(
        std::span<const std::string> jobs) override {
        looks.emplace_back(jobs.begin(), jobs.end());
        co_await pause_for(1s);
        if (is_away) co_return away();
        co_return std::vector<ledger::EndedJob>{};
    }
    bool is_away = false;
    std::vector<Names> looks;
    Closer closer{loop.get_executor(), *this, probe};
};

TEST_F(CloserTest, OneLookServesAllJobsThatWereNamedSinceTheOneBefore) {
    for (const auto* const job : {"b", "a", "b"}) closer.close_soon(job);
    time.run_for(500ms);
    closer.close_soon("a");
    closer.close_soon("c");
    time.run_for(1min);
    EXPECT_THAT(looks, ElementsAre(Names{"a", "b"}, Names{"a", "c"}));
}

TEST_F(CloserTest, AsksForSoManyAtOnce) {
    for (std::size_t i = 0; i <= Closer::at_once_max; ++i) closer.close_soon(std::to_string(i));
    time.run_for(1min);
    EXPECT_THAT(looks, ElementsAre(SizeIs(Closer::at_once_max), SizeIs(1)));
}

TEST_F(CloserTest, WhatItCouldNotCloseIsTheSweepers) {
    is_away = true;
    closer.close_soon("a");
    time.run_for(1min);
    closer.close_soon("b");
    time.run_for(1min);
    EXPECT_THAT(looks, ElementsAre(Names{"a"}, Names{"b"}));
}

class WriteBacksTest : public UpkeepTest, public WriteBackStore, public DoneListeners {
protected:
    Answer<std::vector<ledger::DoneJob>> take(int, std::chrono::milliseconds) override {
        ++rounds;
        if (is_away) co_return away();
        co_return std::exchange(done, {});
    }
    Answer<void> note(Jobs with, Jobs without) override {
        told.insert(told.end(), with.begin(), with.end());
        untold.insert(untold.end(), without.begin(), without.end());
        co_return Result<void>{};
    }
    [[nodiscard]] bool are_any() const override { return anybody; }
    asio::awaitable<Result<void>> tell(const ledger::DoneJob& job) override {
        asked.push_back(job.id);
        if (stops_at == job.id) write_backs.stop();
        const auto found = faults.find(job.id);
        if (found != faults.end()) co_return found->second;
        co_return Result<void>{};
    }
    void run(const Names& jobs) {
        for (const auto& job : jobs) done.push_back({job, "", ""});
        test::begin(loop, write_backs.run());
        time.run_for(10s);
        write_backs.stop();
        time.run_for(10s);
    }

    bool anybody = true, is_away = false;
    int rounds = 0;
    std::vector<ledger::DoneJob> done;
    std::map<std::string, Failure> faults;
    std::string stops_at;
    Names asked, told, untold;
    WriteBacks write_backs{*this, *this, settings};
};

TEST_F(WriteBacksTest, WhoHasHeardIsNotedAndOneThatIsRefusedKeepsNobodyBack) {
    faults.emplace("b", fail(Errc::store_rejected, "write back"));
    run({"a", "b", "c"});
    EXPECT_THAT(told, ElementsAre("a", "c"));
    EXPECT_THAT(untold, ElementsAre("b"));
    EXPECT_GE(rounds, 10) << "one each second";
}

TEST_F(WriteBacksTest, WhereADatabaseIsAwayTheRestOfTheRoundWaits) {
    faults.emplace("a", away());
    run({"a", "b", "c"});
    EXPECT_THAT(asked, ElementsAre("a"));
    EXPECT_THAT(told, IsEmpty());
    EXPECT_THAT(untold, ElementsAre("a", "b", "c"));
}

TEST_F(WriteBacksTest, WhoStopsLeavesTheRest) {
    stops_at = "b";
    run({"a", "b", "c"});
    EXPECT_THAT(told, ElementsAre("a", "b"));
    EXPECT_THAT(untold, ElementsAre("c"));
    EXPECT_EQ(rounds, 1);
}

TEST_F(WriteBacksTest, WhileTheLedgerIsAwayItAsksAgain) {
    is_away = true;
    run({"a"});
    EXPECT_GE(rounds, 10);
    EXPECT_THAT(asked, IsEmpty());
}

TEST_F(WriteBacksTest, WhereNobodyWantsToKnowNothingIsAsked) {
    anybody = false;
    run({"a"});
    EXPECT_EQ(rounds, 0);
}

class OptOutsTest : public UpkeepTest, public OptOutStore, public AddressBooks {
protected:
    Answer<std::vector<ledger::LeftList>> take(int) override {
        ++rounds;
        if (is_away) co_return away();
        co_return std::exchange(left, {});
    }
    Answer<void> keep(std::span<const ledger::LeftWith> found) override {
        for (const auto& one : found) kept.push_back(one.left.recipient);
        co_return Result<void>{};
    }
    [[nodiscard]] bool knows(const std::string& system) const override { return system != "gone"; }
    asio::awaitable<Result<std::vector<ledger::LeftWith>>> look_up(
        const std::string& system, std::span<const ledger::LeftList> people) override {
        lookups.push_back(system);
        if (unreachable.contains(system)) co_return away();
        std::vector<ledger::LeftWith> found;
        for (const auto& one : people) {
            if (one.recipient != "unknown") found.push_back({one, {"somebody@example.com"}});
        }
        co_return found;
    }
    void leaves(const std::string& system, const std::string& person) {
        left.push_back({system, Channel::email, "news", person});
    }
    void run() {
        test::begin(loop, opt_outs.run());
        time.run_for(10s);
        opt_outs.stop();
        time.run_for(10s);
    }

    bool is_away = false;
    int rounds = 0;
    std::vector<ledger::LeftList> left;
    std::set<std::string> unreachable;
    Names lookups, kept;
    OptOuts opt_outs{*this, *this, settings};
};

TEST_F(OptOutsTest, LooksUpWhoLeftSystemBySystemAndKeepsWhatIsFound) {
    leaves("shows", "a");
    leaves("gone", "b");
    leaves("away", "c");
    leaves("tickets", "d");
    leaves("shows", "unknown");
    unreachable = {"away"};
    run();
    EXPECT_THAT(lookups, ElementsAre("away", "shows", "tickets"));
    EXPECT_THAT(kept, ElementsAre("a", "d"));
    EXPECT_GE(rounds, 10) << "one each second";
}

TEST_F(OptOutsTest, WhileTheLedgerIsAwayItAsksAgain) {
    is_away = true;
    run();
    EXPECT_GE(rounds, 10);
    EXPECT_THAT(lookups, IsEmpty());
}

class TimeWatchTest : public UpkeepTest, public LedgerTime {
protected:
    TimeWatchTest() { test::begin(loop, watch.run()); }
    ~TimeWatchTest() override {
        watch.stop();
        time.run_for(10s);
    }
    Answer<ledger::ClockReading> read() override {
        ++readings;
        if (is_away) co_return away();
        const auto now = time.steady_now();
        co_return ledger::ClockReading{time.now() + ahead, now, now};
    }
    Answer<std::size_t> mend(std::chrono::milliseconds) override {
        ++mends;
        if (is_away) co_return away();
        co_return std::size_t{1};
    }
    [[nodiscard]] bool is_held() const { return !holds.empty() && holds.back(); }

    bool is_away = false;
    int readings = 0, mends = 0;
    std::chrono::microseconds ahead{0};
    std::vector<bool> holds;
    ledger::LedgerClock clock{time};
    TimeWatch watch{{*this, clock, probe, [this](bool held) { holds.push_back(held); }, 60s}};
};

TEST_F(TimeWatchTest, ReadsEachSecondAndMendsEachHalfMinute) {
    time.run_for(89'500ms);
    EXPECT_EQ(readings, 90);
    EXPECT_EQ(mends, 3);
    EXPECT_FALSE(is_held());
}

TEST_F(TimeWatchTest, NothingBeginsWhileTheClockIsInDoubtAndThenItIsBelieved) {
    time.run_for(10s);
    ahead = 1h;
    time.run_for(2s);
    EXPECT_TRUE(is_held());
    EXPECT_LT(clock.now(), time.now() + 1min) << "it is not believed yet";
    time.run_for(57s);
    EXPECT_TRUE(is_held());
    time.run_for(5s);
    EXPECT_FALSE(is_held());
    EXPECT_EQ(clock.now(), time.now() + 1h);
}

TEST_F(TimeWatchTest, AClockThatComesBackMovesNobody) {
    time.run_for(10s);
    ahead = 1h;
    time.run_for(30s);
    ahead = 0s;
    time.run_for(2s);
    EXPECT_FALSE(is_held());
    EXPECT_EQ(clock.now(), time.now());
}

TEST_F(TimeWatchTest, WhileTheLedgerIsAwayTimeGoesOnAndItIsReadAgain) {
    time.run_for(10s);
    is_away = true;
    time.run_for(10min);
    EXPECT_FALSE(is_held());
    EXPECT_EQ(clock.now(), time.now());
    EXPECT_GE(readings, 600);
}

}  // namespace
}  // namespace fanfare
