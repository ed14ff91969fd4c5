#include "core/ledger/migrate.hpp"
#include "database_case.hpp"

#include <thread>

namespace fanfare {
namespace {

const std::string migrations = std::string{FANFARE_SOURCE_DIR} + "/config/migrations";
using MigrateTest = testing::EmptyDatabaseCase;

TEST_F(MigrateTest, TwiceIsAsGoodAsOnce) {
    EXPECT_THAT(ledger::migrate(url, migrations).value(), ::testing::Not(::testing::IsEmpty()));
    EXPECT_THAT(ledger::migrate(url, migrations).value(), ::testing::IsEmpty());
}

TEST_F(MigrateTest, OfManyAtOnceExactlyOneApplies) {
    std::atomic<std::size_t> applied{0};
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            const auto done = ledger::migrate(url, migrations);
            if (!done) {
                ++failed;
            } else if (!done.value().empty()) {
                ++applied;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(applied, 1U);
}

}  // namespace
}  // namespace fanfare
