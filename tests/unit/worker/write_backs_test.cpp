#include "worker/sweep/write_backs.hpp"

#include "tests/support/coroutines.hpp"
#include "tests/unit/worker/upkeep_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
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

class WriteBacksTest : public UpkeepCase, public WriteBackStore, public DoneListeners {
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
        run_and_stop(write_backs);
    }

    bool anybody = true;
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

}  // namespace
}  // namespace fanfare
