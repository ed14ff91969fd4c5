#include "core/kafka/consumer.hpp"
#include "core/kafka/producer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace fanfare::kafka {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;
using namespace std::chrono_literals;

constexpr auto patience = 30s;  // For the broker; a test that works does not need it.

/// Keeps what a consumer delivers; the test waits for what it expects.
class Mailbox {
public:
    void put(Received record) {
        const std::lock_guard guard{mutex_};
        records_.push_back(std::move(record));
        arrived_.notify_all();
    }
    /// Waits until `count` records are there; gives out all.
    std::vector<Received> wait_for(std::size_t count) {
        std::unique_lock lock{mutex_};
        EXPECT_TRUE(arrived_.wait_for(lock, patience, [&] { return records_.size() >= count; }))
            << "only " << records_.size() << " of " << count << " records came";
        return records_;
    }
    std::vector<Received> all() {
        const std::lock_guard guard{mutex_};
        return records_;
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Received> records_;
};

std::vector<std::string> values_of(const std::vector<Received>& records) {
    std::vector<std::string> values;
    for (const auto& record : records) values.push_back(record.value);
    return values;
}

std::vector<std::string> numbered(const std::string& name, int first, int last) {
    std::vector<std::string> values;
    for (int i = first; i < last; ++i) values.push_back(fmt::format("{}-{}", name, i));
    return values;
}

/// Topics and a group of one test, on the broker that the suite gives.
class KafkaCase : public ::testing::Test {
protected:
    void use(std::string brokers) {
        static int count = 0;
        settings.brokers = std::move(brokers);
        settings.topic_prefix = fmt::format("t{}-{}-{}", ::getpid(), ::time(nullptr), count++);
        settings.group = settings.topic_prefix;
        settings.partitions = 1;
        topics = topics_of(settings);
    }

    void publish(const std::vector<std::string>& values, const std::string& topic,
                 const std::string& key = "k") {
        auto producer = Producer::open(settings);
        ASSERT_TRUE(producer) << describe(producer.error());
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t acknowledged = 0;
        for (const auto& value : values) {
            const auto queued =
                producer.value()->publish({topic, key, value, {}}, [&](const Result<void>& result) {
                    const std::lock_guard guard{mutex};
                    EXPECT_TRUE(result) << describe(result.error());
                    ++acknowledged;
                    changed.notify_all();
                });
            ASSERT_TRUE(queued) << describe(queued.error());
        }
        std::unique_lock lock{mutex};
        ASSERT_TRUE(
            changed.wait_for(lock, patience, [&] { return acknowledged == values.size(); }));
    }

    std::unique_ptr<Consumer> consume(Mailbox& mailbox, const std::vector<std::string>& names) {
        auto consumer = Consumer::open(
            settings, names, [&mailbox](Received record) { mailbox.put(std::move(record)); });
        EXPECT_TRUE(consumer) << describe(consumer.error());
        return std::move(consumer.value());
    }

    /// What the group would read after everything it committed: the rest of one topic.
    std::vector<std::string> read_again(const std::string& topic, std::size_t count) {
        Mailbox mailbox;
        const auto consumer = consume(mailbox, {topic});
        return values_of(mailbox.wait_for(count));
    }

    void deliver_and_commit_only_what_is_finished();
    void commit_everything_when_all_is_finished();
    void pause_one_topic();

    KafkaSettings settings;
    Topics topics;
};

void KafkaCase::deliver_and_commit_only_what_is_finished() {
    publish(numbered("job", 0, 10), topics.jobs);
    {
        Mailbox mailbox;
        const auto consumer = consume(mailbox, {topics.jobs});
        const auto records = mailbox.wait_for(10);
        ASSERT_EQ(values_of(records), numbered("job", 0, 10));
        EXPECT_TRUE(consumer->has_assignment());
        for (const std::size_t i : {9U, 0U, 1U, 2U, 5U}) consumer->finish(records[i]);
        consumer->stop();
        consumer->finish(records[7]);
    }
    // 3 was never finished: it and all after it are read again, whatever became of those.
    EXPECT_EQ(read_again(topics.jobs, 7), numbered("job", 3, 10));
}

void KafkaCase::commit_everything_when_all_is_finished() {
    publish(numbered("old", 0, 5), topics.jobs);
    {
        Mailbox mailbox;
        const auto consumer = consume(mailbox, {topics.jobs});
        for (const auto& record : mailbox.wait_for(5)) consumer->finish(record);
    }
    publish(numbered("new", 0, 3), topics.jobs);
    EXPECT_EQ(read_again(topics.jobs, 3), numbered("new", 0, 3));
}

void KafkaCase::pause_one_topic() {
    const auto& urgent = topics.chunks[static_cast<std::size_t>(Lane::urgent)];
    const auto& bulk = topics.chunks[static_cast<std::size_t>(Lane::bulk)];
    publish({"bulk-first"}, bulk);
    Mailbox mailbox;
    const auto consumer = consume(mailbox, {urgent, bulk});
    mailbox.wait_for(1);
    consumer->set_paused(1, true);
    publish({"urgent-first"}, urgent);
    // The pause is applied by the loop that delivers, so it holds after the next record.
    mailbox.wait_for(2);
    publish(numbered("bulk", 0, 5), bulk);
    publish(numbered("urgent", 0, 5), urgent);
    auto records = mailbox.wait_for(7);
    std::size_t of_bulk = 0;
    for (const auto& record : records) of_bulk += record.topic == 1 ? 1 : 0;
    EXPECT_LE(of_bulk, 1U) << "the paused topic goes on";

    consumer->set_paused(1, false);
    records = mailbox.wait_for(12);
    std::multiset<std::string> seen;
    for (const auto& value : values_of(records)) seen.insert(value);
    EXPECT_EQ(records.size(), 12U);
    for (const auto& value : seen) EXPECT_EQ(seen.count(value), 1U) << value << " came twice";
    for (const auto& value : numbered("bulk", 0, 5)) EXPECT_EQ(seen.count(value), 1U) << value;
}

class EmbeddedBrokerTest : public KafkaCase {
protected:
    void SetUp() override {
        use("embedded");
        auto started = EmbeddedBroker::start(settings);
        ASSERT_TRUE(started) << describe(started.error());
        broker.emplace(std::move(started.value()));
        settings.brokers = broker->address();
    }
    std::optional<EmbeddedBroker> broker;
};

TEST_F(EmbeddedBrokerTest, DeliversAndCommitsOnlyWhatIsFinished) {
    deliver_and_commit_only_what_is_finished();
}
TEST_F(EmbeddedBrokerTest, CommitsEverythingWhenAllIsFinished) {
    commit_everything_when_all_is_finished();
}
TEST_F(EmbeddedBrokerTest, PausesOneTopic) { pause_one_topic(); }

/// A cluster inside the process that does what a test says.
class FaultyBrokerTest : public KafkaCase {
protected:
    void SetUp() override {
        use("");
        Conf conf{rd_kafka_conf_new()};
        rd_kafka_conf_set(conf.get(), "test.mock.num.brokers", "1", nullptr, 0);
        auto opened = open(RD_KAFKA_PRODUCER, std::move(conf));
        ASSERT_TRUE(opened) << describe(opened.error());
        host = std::move(opened.value());
        cluster = rd_kafka_handle_mock_cluster(host.get());
        rd_kafka_mock_topic_create(cluster, topics.jobs.c_str(), 1, 1);
        settings.brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    }
    Client host;
    rd_kafka_mock_cluster_t* cluster = nullptr;
};

TEST_F(FaultyBrokerTest, WhatIsRefusedIsPublishedAgainAndNotLostToWhatFollows) {
    constexpr std::int16_t produce = 0;
    rd_kafka_mock_broker_set_rtt(cluster, 1, 200);  // The second request waits for no answer.
    rd_kafka_mock_push_request_errors(cluster, produce, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    const std::vector<std::string> values{std::string(900'000, 'x'), std::string(900'000, 'y')};
    publish(values, topics.jobs);
    rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    EXPECT_EQ(read_again(topics.jobs, 2), values);
}

class RealBrokerTest : public KafkaCase {
protected:
    void SetUp() override {
        const char* const brokers = std::getenv("FANFARE_TEST_KAFKA_BROKERS");
        if (brokers == nullptr || *brokers == '\0') {
            FAIL() << "FANFARE_TEST_KAFKA_BROKERS is not set; start a broker: scripts/stack up && "
                      "eval \"$(scripts/stack env)\"";
        }
        use(brokers);
        const auto created = create_topics(settings);
        ASSERT_TRUE(created) << describe(created.error());
    }
};

TEST_F(RealBrokerTest, HasItsTopicsHoweverOftenTheyAreCreated) {
    const auto again = create_topics(settings);
    EXPECT_TRUE(again) << describe(again.error());
    for (const auto& topic : topics.chunks) publish({"x"}, topic);
    publish({"x"}, topics.dead);
}

TEST_F(RealBrokerTest, AcknowledgesWhatWasPublished) {
    auto producer = Producer::open(settings);
    ASSERT_TRUE(producer);
    const std::string value{"bytes \0 of \xff any kind", 22};
    const auto told = producer.value()->publish_and_wait(
        {topics.jobs, "key-1", value, {{"fanfare-reason", "none"}}}, patience);
    ASSERT_TRUE(told) << describe(told.error());
    EXPECT_FALSE(producer.value()->is_fatal());
    Mailbox mailbox;
    const auto consumer = consume(mailbox, {topics.jobs});
    const auto records = mailbox.wait_for(1);
    EXPECT_EQ(records.at(0).value, value);
    EXPECT_EQ(records.at(0).key, "key-1");
    EXPECT_EQ(records.at(0).offset, 0);
}

TEST_F(RealBrokerTest, TakesAJobOfTheLargestSize) {
    publish({std::string(1'000'000, 'x'), std::string(4'000'000, 'y')}, topics.jobs);
    EXPECT_EQ(read_again(topics.jobs, 2).at(1).size(), 4'000'000U)
        << "it must reach us to be refused";
}

TEST_F(RealBrokerTest, RefusesToQueueForNoTopic) {
    auto producer = Producer::open(settings);
    ASSERT_TRUE(producer);
    EXPECT_FALSE(producer.value()->publish({"not a topic!", "", "x", {}}, {}) &&
                 producer.value()->publish_and_wait({"not a topic!", "", "x", {}}, 5s));
}

TEST_F(RealBrokerTest, DeliversAndCommitsOnlyWhatIsFinished) {
    deliver_and_commit_only_what_is_finished();
}
TEST_F(RealBrokerTest, CommitsEverythingWhenAllIsFinished) {
    commit_everything_when_all_is_finished();
}
TEST_F(RealBrokerTest, PausesOneTopic) { pause_one_topic(); }

TEST_F(RealBrokerTest, ReadsFromTheBeginningInANewGroup) {
    publish(numbered("job", 0, 3), topics.jobs);
    settings.group += "-new";
    EXPECT_EQ(read_again(topics.jobs, 3), numbered("job", 0, 3))
        << "librdkafka's own default would begin at the end and lose them";
}

TEST_F(RealBrokerTest, FinishesOfAnEarlierAssignmentCommitNothing) {
    publish(numbered("job", 0, 2), topics.jobs);
    std::vector<Received> old;
    {
        Mailbox mailbox;
        const auto consumer = consume(mailbox, {topics.jobs});
        old = mailbox.wait_for(2);
    }
    {
        Mailbox mailbox;
        const auto consumer = consume(mailbox, {topics.jobs});
        mailbox.wait_for(2);
        for (auto record : old) {
            record.generation += 100;
            consumer->finish(record);
        }
    }
    EXPECT_EQ(read_again(topics.jobs, 2), numbered("job", 0, 2));
}

}  // namespace
}  // namespace fanfare::kafka
