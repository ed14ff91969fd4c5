// What the send stage learns of jobs: many at once, each with its own answer.
#include "worker/send/job_store.hpp"

#include "tests/integration/store_case.hpp"

#include <vector>

namespace fanfare {
namespace {

class JobStoreTest : public StoreCase {
protected:
    using Answer = Result<JobStore::Context>;

    JobStoreTest() {
        System shows;
        shows.name = "shows";
        shows.kinds["show.reminder"].name = "show.reminder";
        systems.emplace("shows", shows);
    }
    std::vector<Answer> load(const std::vector<std::string>& jobs) {
        auto contexts = this->contexts();
        LedgerJobStore store{pool, contexts};
        std::vector<boost::asio::awaitable<Answer>> tasks;
        for (const auto& job : jobs) tasks.push_back(store.load(job));
        return ask_together(std::move(tasks));
    }
};

TEST_F(JobStoreTest, EachOfThoseReadTogetherHasItsOwnAnswer) {
    auto strange = job_named("strange");
    strange.kind = "configured.no.longer";
    const auto loaded =
        load({accept("one"), derived_id("nobody's"), accept(strange), accept("two")});
    EXPECT_EQ(loaded.at(0).value()->job.id, derived_id("one"));
    EXPECT_EQ(loaded.at(1).error().code, Errc::job_rejected);
    EXPECT_EQ(loaded.at(2).error().code, Errc::job_rejected);
    EXPECT_EQ(loaded.at(3).value()->job.id, derived_id("two"));
    EXPECT_EQ(loaded.at(3).value()->kind, &systems.at("shows").kinds.at("show.reminder"));
}

TEST_F(JobStoreTest, ALedgerThatIsAwayIsNoVerdictOnAJob) {
    const auto job = accept("one");
    ledger.column("ALTER TABLE job RENAME TO moved");
    const auto loaded = load({job});
    ledger.column("ALTER TABLE moved RENAME TO job");
    ASSERT_FALSE(loaded.at(0));
    EXPECT_NE(loaded.at(0).error().code, Errc::job_rejected);
}

}  // namespace
}  // namespace fanfare
