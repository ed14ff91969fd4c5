#include "core/ledger/migrate.hpp"
#include "database_case.hpp"

#include <atomic>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {
namespace {

const std::string migrations = std::string{FANFARE_SOURCE_DIR} + "/config/migrations";
using MigrateTest = testing::EmptyDatabaseCase;

TEST_F(MigrateTest, TwiceIsAsGoodAsOnce) {
    EXPECT_THAT(ledger::migrate(url, migrations).value(), ::testing::Not(::testing::IsEmpty()));
    EXPECT_THAT(ledger::migrate(url, migrations).value(), ::testing::IsEmpty());
}

TEST_F(MigrateTest, OfManyAtOnceEachFileIsAppliedByOne) {
    std::mutex mutex;
    std::vector<std::string> applied;
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            const auto done = ledger::migrate(url, migrations);
            if (!done) {
                ++failed;
                return;
            }
            const std::lock_guard guard{mutex};
            applied.insert(applied.end(), done.value().begin(), done.value().end());
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
    const std::filesystem::directory_iterator files{migrations};
    EXPECT_THAT(applied, ::testing::SizeIs(std::distance(begin(files), end(files))));
    EXPECT_EQ(std::set(applied.begin(), applied.end()).size(), applied.size());
}

}  // namespace
}  // namespace fanfare
