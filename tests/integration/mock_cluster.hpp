#pragma once

#include "core/kafka/client.hpp"

#include <librdkafka/rdkafka_mock.h>

#include <string>
#include <utility>

namespace fanfare::kafka {

/// librdkafka's mock cluster of one broker, which refuses what a test says.
class MockCluster {
public:
    explicit MockCluster(int partitions = 1) {
        Conf conf{rd_kafka_conf_new()};
        rd_kafka_conf_set(conf.get(), "test.mock.num.brokers", "1", nullptr, 0);
        auto opened = open(RD_KAFKA_PRODUCER, std::move(conf));
        ensure(opened.has_value(), "a mock cluster starts");
        host_ = std::move(opened.value());
        cluster_ = rd_kafka_handle_mock_cluster(host_.get());
        settings.partitions = partitions;
        settings.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
        topics = list_topics(settings);
        for (const auto& topic : list_names(topics)) {
            rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1);
        }
    }

    /// So many requests that publish find their record too large.
    void takes_no_large_records(std::size_t requests) {
        constexpr std::int16_t produce = 0;
        for (; requests > 0; --requests) {
            rd_kafka_mock_push_request_errors(cluster_, produce, 1,
                                              RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
        }
    }

    KafkaSettings settings;
    Topics topics;

private:
    Client host_;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace fanfare::kafka
