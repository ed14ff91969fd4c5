#include "worker/sweep/opt_outs.hpp"

#include "tests/support/coroutines.hpp"
#include "tests/unit/worker/upkeep_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using Names = std::vector<std::string>;

class OptOutsTest : public UpkeepCase, public OptOutStore, public AddressBooks {
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
    void run() { run_and_stop(opt_outs); }

    int rounds = 0;
    std::vector<ledger::LeftList> left;
    std::set<std::string> unreachable;
    Names lookups, kept;
    bool is_at_rest = false;
    OptOuts opt_outs{*this, *this, settings,
                     [this](int turn) { return !is_at_rest || turn % 10 == 0; }};
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

TEST_F(OptOutsTest, WhereThereIsNobodyToLookUpItHardlyAsks) {
    is_at_rest = true;
    run();
    EXPECT_LE(rounds, 2) << "of ten seconds";
}

TEST_F(OptOutsTest, WhileTheLedgerIsAwayItAsksAgain) {
    is_away = true;
    run();
    EXPECT_GE(rounds, 10);
    EXPECT_THAT(lookups, IsEmpty());
}

}  // namespace
}  // namespace fanfare
