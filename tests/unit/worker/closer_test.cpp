#include "worker/sweep/closer.hpp"

#include "core/clock/timer.hpp"
#include "tests/unit/worker/upkeep_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using Names = std::vector<std::string>;

class CloserTest : public UpkeepCase, public JobEnds {
protected:
    asio::awaitable<Result<std::vector<ledger::EndedJob>>> close(
        std::span<const std::string> jobs) override {
        looks.emplace_back(jobs.begin(), jobs.end());
        co_await pause_for(1s);
        if (is_away) co_return away();
        co_return std::vector<ledger::EndedJob>{};
    }
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

}  // namespace
}  // namespace fanfare
