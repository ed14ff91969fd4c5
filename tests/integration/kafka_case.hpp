#pragma once

#include "core/kafka/consumer.hpp"
#include "core/kafka/producer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace fanfare::kafka {

constexpr std::chrono::seconds patience{30};  // For the broker; a test that works does not need it.

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

inline std::vector<std::string> values_of(const std::vector<Received>& records) {
    std::vector<std::string> values;
    for (const auto& record : records) values.push_back(record.value);
    return values;
}

inline std::vector<std::string> numbered(const std::string& name, int first, int last) {
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
        topics = list_topics(settings);
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

    KafkaSettings settings;
    Topics topics;
};

}  // namespace fanfare::kafka
