// What librdkafka is told to be, as it has it itself: defaults are other ones in each version.
#include "core/kafka/consumer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace fanfare::kafka {
namespace {

std::string value_of(const Conf& conf, const char* key) {
    std::array<char, 128> text{};
    auto size = text.size();
    if (rd_kafka_conf_get(conf.get(), key, text.data(), &size) != RD_KAFKA_CONF_OK) return "none";
    return text.data();
}

TEST(KafkaConfTest, NoSmallRecordWaitsForAnother) {
    const auto conf = make_conf({}, {});
    ASSERT_TRUE(conf) << describe(conf.error());
    EXPECT_EQ(value_of(conf.value(), "socket.nagle.disable"), "true");
    EXPECT_EQ(value_of(conf.value(), "socket.keepalive.enable"), "true");
}

TEST(KafkaConfTest, AConsumerGivesBackAllAndCommitsWhatItIsToldTo) {
    const auto conf = make_consumer_conf({});
    ASSERT_TRUE(conf) << describe(conf.error());
    EXPECT_EQ(value_of(conf.value(), "partition.assignment.strategy"), "roundrobin,range")
        << "a cooperative one loses its assignment on a commit during a rebalance";
    EXPECT_EQ(value_of(conf.value(), "enable.auto.commit"), "false");
    EXPECT_EQ(value_of(conf.value(), "enable.auto.offset.store"), "false");
    EXPECT_EQ(value_of(conf.value(), "auto.offset.reset"), "smallest") << "that is: earliest";
    EXPECT_EQ(value_of(conf.value(), "socket.nagle.disable"), "true");
}

}  // namespace
}  // namespace fanfare::kafka
