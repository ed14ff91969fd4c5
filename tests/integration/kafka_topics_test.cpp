#include "core/kafka/topic_keeper.hpp"

#include "kafka_case.hpp"
#include "tests/support/services.hpp"

#include <functional>
#include <thread>

namespace fanfare::kafka {
namespace {

/// Topics that somebody deletes on the real broker, under clients that go on.
class LostTopicsTest : public KafkaCase {
protected:
    void SetUp() override {
        const char* const brokers = test::service("FANFARE_TEST_KAFKA_BROKERS");
        if (brokers == nullptr || *brokers == '\0') {
            FAIL() << "FANFARE_TEST_KAFKA_BROKERS is not set; start a broker: scripts/stack up && "
                      "eval \"$(scripts/stack env)\"";
        }
        use(brokers);
        const auto created = create_topics(settings);
        ASSERT_TRUE(created) << describe(created.error());
    }
    void TearDown() override { delete_topics(); }

    std::unique_ptr<TopicKeeper> keep() {
        auto keeper = TopicKeeper::open(settings);
        EXPECT_TRUE(keeper) << describe(keeper.error());
        return std::move(keeper.value());
    }

    void delete_topics() {
        auto conf = make_conf(settings, {});
        ASSERT_TRUE(conf);
        const auto client = kafka::open(RD_KAFKA_PRODUCER, std::move(conf.value()));
        ASSERT_TRUE(client) << describe(client.error());
        std::vector<Handle<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>> wanted;
        std::vector<rd_kafka_DeleteTopic_t*> raw;
        for (const auto& name : list_names(topics)) {
            raw.push_back(wanted.emplace_back(rd_kafka_DeleteTopic_new(name.c_str())).get());
        }
        const Queue queue{rd_kafka_queue_new(client.value().get())};
        rd_kafka_DeleteTopics(client.value().get(), raw.data(), raw.size(), nullptr, queue.get());
        const Event event{rd_kafka_queue_poll(queue.get(), 30'000)};
        ASSERT_TRUE(event);
    }

    /// Looks again and again: the keeper tells nobody.
    static bool comes_true(const std::function<bool()>& condition) {
        const auto end = system_clock().steady_now() + 2 * patience;
        while (!condition() && system_clock().steady_now() < end) std::this_thread::yield();
        return condition();
    }

    /// Publishes until the broker has it, as all our publishers do in their ways.
    static void insist(Producer& producer, const std::string& topic, const std::string& value) {
        const auto end = system_clock().steady_now() + 2 * patience;
        bool published = false;
        while (!published && system_clock().steady_now() < end) {
            published = producer.publish_and_wait({topic, "k", value, {}}, patience).has_value();
        }
        EXPECT_TRUE(published) << value;
    }
};

TEST_F(LostTopicsTest, ReadingAndWritingGoOn) {
    const auto keeper = keep();
    auto producer = Producer::open(settings, {topics.jobs}, keeper.get());
    ASSERT_TRUE(producer) << describe(producer.error());
    Mailbox mailbox;
    auto consumer = Consumer::open(
        settings, {topics.jobs}, [&mailbox](Received record) { mailbox.put(std::move(record)); },
        keeper.get());
    ASSERT_TRUE(consumer) << describe(consumer.error());
    for (const auto& value : numbered("before", 0, 20)) {
        insist(*producer.value(), topics.jobs, value);
    }
    for (const auto& record : mailbox.wait_for(20)) consumer.value()->finish(record);
    for (int round = 1; round <= 2; ++round) {
        const auto renewals = keeper->renewals();
        delete_topics();
        const auto value = fmt::format("after {}", round);
        insist(*producer.value(), topics.jobs, value);
        const auto known = [&] {
            for (const auto& record : mailbox.all()) {
                if (record.value == value) return true;
            }
            return false;
        };
        for (std::size_t count = 20; !known() && !HasFailure(); ++count) mailbox.wait_for(count);
        EXPECT_TRUE(known());
        // The record may come before the keeper's next look, which finds all well again.
        const auto is_well = [&] {
            return keeper->renewals() > renewals && keeper->trouble().empty();
        };
        EXPECT_TRUE(comes_true(is_well)) << keeper->renewals() << " " << keeper->trouble();
    }
}

TEST_F(LostTopicsTest, WhatWasFinishedBeforeIsNotCommittedForWhatCameAfter) {
    {
        const auto keeper = keep();
        Mailbox mailbox;
        auto consumer = Consumer::open(
            settings, {topics.jobs},
            [&mailbox](Received record) { mailbox.put(std::move(record)); }, keeper.get());
        ASSERT_TRUE(consumer) << describe(consumer.error());
        publish(numbered("before", 0, 20), topics.jobs);
        const auto before = mailbox.wait_for(20);
        delete_topics();
        auto producer = Producer::open(settings, {topics.jobs}, keeper.get());
        ASSERT_TRUE(producer) << describe(producer.error());
        insist(*producer.value(), topics.jobs, "after");
        const auto records = mailbox.wait_for(21);
        for (const auto& record : before) consumer.value()->finish(record);
        EXPECT_EQ(records.back().value, "after");
    }
    EXPECT_EQ(read_again(topics.jobs, 1), std::vector<std::string>{"after"});
}

TEST_F(LostTopicsTest, ClientsCloseWithoutThem) {
    auto producer = Producer::open(settings, {topics.jobs});
    ASSERT_TRUE(producer) << describe(producer.error());
    Mailbox mailbox;
    auto consumer = consume(mailbox, {topics.jobs});
    insist(*producer.value(), topics.jobs, "value");
    mailbox.wait_for(1);
    delete_topics();
    // A broker takes what comes until it has begun to delete.
    while (producer.value()->publish_and_wait({topics.jobs, "k", "lost", {}}, 2 * patience)) {
    }
    consumer.reset();  // Or CTest's limit ends this: librdkafka 2.0 does not come back from it.
    producer.value().reset();
}

TEST_F(LostTopicsTest, ALogThatBeganAnewIsCommittedFromItsBeginning) {
    publish(numbered("old", 0, 5), topics.jobs);
    {
        Mailbox mailbox;
        const auto consumer = consume(mailbox, {topics.jobs});
        for (const auto& record : mailbox.wait_for(5)) consumer->finish(record);
        delete_topics();
        const auto created = create_topics(settings);
        ASSERT_TRUE(created) << describe(created.error());
        auto producer = Producer::open(settings, {topics.jobs});
        ASSERT_TRUE(producer) << describe(producer.error());
        // Of topics that were just made anew a broker may say for a moment that they have none.
        for (const auto& value : numbered("new", 0, 3)) {
            insist(*producer.value(), topics.jobs, value);
        }
        const auto records = mailbox.wait_for(8);
        consumer->finish(records[5]);
        consumer->finish(records[6]);
    }
    EXPECT_EQ(read_again(topics.jobs, 1), numbered("new", 2, 3));
}

}  // namespace
}  // namespace fanfare::kafka
