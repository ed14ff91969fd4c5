#include "producer/publishing/job_publisher.hpp"

#include "core/wire/job.hpp"
#include "database_case.hpp"
#include "tests/integration/mock_cluster.hpp"

#include <future>
#include <memory>

namespace fanfare {
namespace {

/// A publisher whose broker and ledger are the test's.
class JobPublisherTest : public testing::LedgerCase {
protected:
    /// What the source of a job is told.
    bool told_of(const std::string& id, std::string_view bytes) {
        JobPublisher publisher{{*producer, cluster.topics.jobs, *pool, nullptr}};
        std::promise<bool> told;
        const bool is_told =
            publisher.publish({id, bytes}, [&](bool done) { told.set_value(done); });
        EXPECT_TRUE(is_told);
        return is_told && told.get_future().get();
    }
    std::string refusal_of(const std::string& id) {
        return ask("SELECT coalesce((SELECT code FROM absent_job WHERE job_id = '" + id +
                   "'), 'none')");
    }

    kafka::MockCluster cluster;
    std::unique_ptr<kafka::Producer> producer = kafka::Producer::open(cluster.settings).value();
    const std::string job = derived_id("a job");
};

TEST_F(JobPublisherTest, WhatTheBrokerHasIsAcknowledged) {
    EXPECT_EQ(told_of(job, "{}"), true);
    EXPECT_EQ(refusal_of(job), "none");
}

TEST_F(JobPublisherTest, WhatIsTooLargeForTheBrokerIsRefusedAndNotPublishedForEver) {
    cluster.takes_no_large_records(1);
    EXPECT_EQ(told_of(job, "{}"), true) << "its source looks for it no more";
    EXPECT_EQ(refusal_of(job), "too_large");
}

TEST_F(JobPublisherTest, SoIsWhatIsTooLargeForTheClient) {
    EXPECT_EQ(told_of(job, std::string(kafka::record_bytes_max + 1, 'x')), true);
    EXPECT_EQ(refusal_of(job), "too_large");
}

TEST_F(JobPublisherTest, WhatCannotBeNotedAsRefusedIsTriedAgain) {
    cluster.takes_no_large_records(1);
    EXPECT_EQ(told_of("no uuid", "{}"), false);
}

}  // namespace
}  // namespace fanfare
