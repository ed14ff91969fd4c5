#include "worker/intake/intake.hpp"

#include "tests/integration/kafka_case.hpp"
#include "tests/integration/ledger_case.hpp"
#include "tests/integration/mock_cluster.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace fanfare {
namespace {

namespace asio = boost::asio;

/// A worker's intake over the test's ledger; the broker refuses what a test says.
class IntakeTest : public ledger::LedgerCase {
protected:
    /// Takes a record that is no job, and returns when it is settled.
    void settle(std::string value) {
        const auto guard = asio::make_work_guard(loop);
        loop.restart();
        kafka::Received record;
        record.key = "k";
        record.value = std::move(value);
        intake.take(std::move(record));
        loop.run();
    }
    /// The same; what stands first on fanfare.dead then.
    kafka::Received refused(std::string value) {
        settle(std::move(value));
        kafka::Mailbox mailbox;
        const auto consumer = kafka::Consumer::open(
            cluster.settings, {cluster.topics.dead},
            [&mailbox](kafka::Received letter) { mailbox.put(std::move(letter)); });
        EXPECT_TRUE(consumer) << describe(consumer.error());
        return mailbox.wait_for(1).at(0);
    }
    static std::string header(const kafka::Received& letter, std::string_view wanted) {
        for (const auto& [name, value] : letter.headers) {
            if (name == wanted) return value;
        }
        return "none";
    }

    kafka::MockCluster cluster;
    asio::io_context loop{1};
    postgres::Pool pool{ledger.database().url(), {}, 1};
    std::unique_ptr<kafka::Producer> producer = kafka::Producer::open(cluster.settings).value();
    Systems systems;
    Templates templates = std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    JobContexts sources{systems, templates,
                        JobContexts::Reach{ledger.database().url(), 1, std::chrono::minutes{1}}, "",
                        system_clock()};
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    LedgerIntakeStore store{pool};
    DatabaseOrderCheck orders{sources, system_clock()};
    KafkaDeadLetters dead_letters{*producer, cluster.topics.dead};
    Intake intake{loop.get_executor(),
                  Intake::Parts{store, orders, dead_letters, cluster.topics, systems, templates,
                                false, probe, system_clock(), [](const std::string&, Lane) {},
                                [this](const kafka::Received&) { loop.stop(); }}};
    const std::string large = std::string(100'000, 'x');
};

TEST_F(IntakeTest, ADeadLetterIsWhole) {
    const auto letter = refused(large);
    EXPECT_EQ(letter.value, large);
    EXPECT_EQ(header(letter, "fanfare-reason"), "not_json");
    EXPECT_EQ(header(letter, "fanfare-truncated"), "false");
}

TEST_F(IntakeTest, ADeadLetterThatIsTooLargeForTheBrokerIsCutAndNotTriedForEver) {
    cluster.takes_no_large_records(1);
    const auto letter = refused(large);
    EXPECT_EQ(letter.value, std::string(std::size_t{64} * 1024, 'x'));
    EXPECT_EQ(header(letter, "fanfare-truncated"), "true");
    EXPECT_EQ(header(letter, "fanfare-bytes"), "100000");
}

TEST_F(IntakeTest, WhereEvenThatIsTooLargeTheReasonStands) {
    cluster.takes_no_large_records(2);
    const auto letter = refused(large);
    EXPECT_EQ(letter.value, "");
    EXPECT_EQ(header(letter, "fanfare-truncated"), "true");
    EXPECT_EQ(header(letter, "fanfare-reason"), "not_json");
}

TEST_F(IntakeTest, ABrokerThatTakesNothingOfItHoldsUpNobody) {
    cluster.takes_no_large_records(3);
    settle(large);
    EXPECT_EQ(refused("{").value, "{") << "what comes after it";
}

}  // namespace
}  // namespace fanfare
