#include "core/kafka/topic_admin.hpp"
#include "kafka_case.hpp"
#include "tests/support/services.hpp"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <functional>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fanfare::kafka {
namespace {

using namespace std::chrono_literals;

/// What holds on every broker.
class BrokerCase : public KafkaCase {
protected:
    void deliver_and_commit_only_what_is_finished();
    void commit_everything_when_all_is_finished();
    void pause_one_topic();
    void spread_all_topics_over_all_members();
};

void BrokerCase::deliver_and_commit_only_what_is_finished() {
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

void BrokerCase::commit_everything_when_all_is_finished() {
    publish(numbered("old", 0, 5), topics.jobs);
    {
        Mailbox mailbox;
        const auto consumer = consume(mailbox, {topics.jobs});
        for (const auto& record : mailbox.wait_for(5)) consumer->finish(record);
    }
    publish(numbered("new", 0, 3), topics.jobs);
    EXPECT_EQ(read_again(topics.jobs, 3), numbered("new", 0, 3));
}

void BrokerCase::pause_one_topic() {
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

/// Looks again and again: a group tells nobody.
bool comes_true(const std::function<bool()>& condition) {
    const auto end = system_clock().steady_now() + 2 * patience;
    while (!condition() && system_clock().steady_now() < end) std::this_thread::yield();
    return condition();
}

void BrokerCase::spread_all_topics_over_all_members() {
    // Two topics of one partition: by range the first member would have both.
    const std::vector<std::string> names{topics.jobs, topics.receipts};
    publish({"a"}, topics.jobs);
    publish({"a"}, topics.receipts);
    Mailbox mailbox;
    std::vector<std::unique_ptr<Consumer>> members;
    for (int i = 0; i < 2; ++i) members.push_back(consume(mailbox, names));
    const auto count_if = [&members](auto is_so) {
        return std::count_if(members.begin(), members.end(),
                             [&](const auto& each) { return is_so(*each); });
    };
    const auto assigned = [&] {
        return count_if([](const auto& each) { return each.has_assignment(); });
    };
    const auto joined = [&] { return count_if([](const auto& each) { return each.is_member(); }); };
    EXPECT_TRUE(comes_true([&] { return joined() == 2 && assigned() == 2; })) << assigned();
    members.push_back(consume(mailbox, names));
    EXPECT_TRUE(comes_true([&] { return joined() == 3 && assigned() == 2; }))
        << joined() << " members, " << assigned() << " with a partition";
}

class EmbeddedBrokerTest : public BrokerCase {
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
TEST_F(EmbeddedBrokerTest, SpreadsAllTopicsOverAllMembers) { spread_all_topics_over_all_members(); }

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

TEST_F(FaultyBrokerTest, WhatIsTooLargeForTheBrokerIsToldApart) {
    auto producer = Producer::open(settings);
    ASSERT_TRUE(producer) << describe(producer.error());
    constexpr std::int16_t produce = 0;
    rd_kafka_mock_push_request_errors(cluster, produce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    const auto refused = producer.value()->publish_and_wait({topics.jobs, "k", "v", {}}, patience);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kafka_too_large) << describe(refused.error());
    EXPECT_FALSE(is_retryable(refused.error().code));
    const std::string more_than_clients_take(record_bytes_max + 1, 'x');
    const auto kept = producer.value()->publish_and_wait(
        {topics.jobs, "k", more_than_clients_take, {}}, patience);
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error().code, Errc::kafka_too_large) << describe(kept.error());
    EXPECT_TRUE(producer.value()->publish_and_wait({topics.jobs, "k", "after", {}}, patience));
}

TEST_F(FaultyBrokerTest, AClientThatNoRetryMendsIsReplaced) {
    auto producer = Producer::open(settings);
    ASSERT_TRUE(producer) << describe(producer.error());
    ASSERT_TRUE(producer.value()->publish_and_wait({topics.jobs, "k", "first", {}}, patience));
    constexpr std::int16_t produce = 0;
    rd_kafka_mock_push_request_errors(cluster, produce, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    EXPECT_FALSE(producer.value()->publish_and_wait({topics.jobs, "k", "lost", {}}, patience))
        << "this version gives up for good";
    const auto end = system_clock().steady_now() + patience;
    bool published = false;
    while (!published && system_clock().steady_now() < end) {
        published = producer.value()
                        ->publish_and_wait({topics.jobs, "k", "last", {}}, patience)
                        .has_value();
    }
    EXPECT_TRUE(published);
}

TEST_F(FaultyBrokerTest, WhatIsGivenUpIsToldSo) {
    auto producer = Producer::open(settings);
    ASSERT_TRUE(producer) << describe(producer.error());
    rd_kafka_mock_broker_set_down(cluster, 1);
    std::promise<bool> told;
    ASSERT_TRUE(producer.value()->publish(
        {topics.jobs, "k", "v", {}},
        [&told](const Result<void>& result) { told.set_value(result.has_value()); }));
    producer.value()->give_up();
    EXPECT_FALSE(told.get_future().get());
    // It counts until its callback has returned, on the producer's own thread.
    const auto end = system_clock().steady_now() + patience;
    while (producer.value()->waiting() > 0 && system_clock().steady_now() < end) {
        std::this_thread::yield();
    }
    EXPECT_EQ(producer.value()->waiting(), 0U);
}

class RealBrokerTest : public BrokerCase {
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

TEST_F(RealBrokerTest, SaysWhatIsTooLarge) {
    settings.client["message.max.bytes"] = "20000000";
    auto producer = Producer::open(settings);
    ASSERT_TRUE(producer) << describe(producer.error());
    const std::string more_than_topics_take(record_bytes_max + 1'000'000, 'x');
    const auto refused =
        producer.value()->publish_and_wait({topics.jobs, "k", more_than_topics_take, {}}, patience);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kafka_too_large) << describe(refused.error());
    EXPECT_TRUE(producer.value()->publish_and_wait({topics.jobs, "k", "after", {}}, patience));
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

TEST_F(RealBrokerTest, SpreadsAllTopicsOverAllMembers) { spread_all_topics_over_all_members(); }

TEST_F(RealBrokerTest, PartitionsGrowAndNeverShrink) {
    const auto has = [this](std::int32_t partitions) {
        const auto states = look_at_topics(settings);
        return states &&
               std::all_of(states.value().begin(), states.value().end(),
                           [=](const auto& each) { return each.partitions == partitions; });
    };
    EXPECT_TRUE(has(1));
    const auto grown = grow_topics(settings, 3);
    ASSERT_TRUE(grown) << describe(grown.error());
    EXPECT_EQ(grown.value(), list_names(topics));
    EXPECT_TRUE(comes_true([&] { return has(3); }));
    for (const auto fewer : {1, 3}) {
        const auto again = grow_topics(settings, fewer);
        ASSERT_TRUE(again) << describe(again.error());
        EXPECT_TRUE(again.value().empty());
    }
    EXPECT_TRUE(has(3));
}

TEST_F(RealBrokerTest, KnowsWhoseTheMomentsAre) {
    auto states = look_at_topics(settings);
    ASSERT_TRUE(states) << describe(states.error());
    for (const auto& state : states.value()) {
        EXPECT_FALSE(state.is_stamped_by_publishers);
        EXPECT_GE(state.record_bytes_max, record_bytes_wanted);
    }
    // Topics that somebody else made, as the broker makes them by itself.
    settings.topic_prefix += "-theirs";
    auto conf = make_conf(settings, {{"allow.auto.create.topics", "true"}});
    const auto client = open(RD_KAFKA_PRODUCER, std::move(conf.value()));
    const Handle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> topic{
        rd_kafka_NewTopic_new(list_topics(settings).jobs.c_str(), 2, 1, nullptr, 0)};
    rd_kafka_NewTopic_set_config(topic.get(), "message.timestamp.type", "CreateTime");
    const Queue queue{rd_kafka_queue_new(client.value().get())};
    auto* raw = topic.get();
    rd_kafka_CreateTopics(client.value().get(), &raw, 1, nullptr, queue.get());
    const Event made{rd_kafka_queue_poll(queue.get(), 30'000)};
    const auto is_seen = [&] {
        states = look_at_topics(settings);
        return states && states.value().at(0).partitions == 2;
    };
    ASSERT_TRUE(comes_true(is_seen));
    EXPECT_TRUE(states.value().at(0).is_stamped_by_publishers);
    EXPECT_EQ(states.value().at(1).partitions, 0) << "not there";
}

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
