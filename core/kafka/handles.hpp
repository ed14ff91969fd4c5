#pragma once

#include "core/handle/handle.hpp"

#include <librdkafka/rdkafka.h>

namespace fanfare::kafka {

using Conf = Handle<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using Client = Handle<rd_kafka_t, rd_kafka_destroy>;
using Topic = Handle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using TopicList = Handle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Record = Handle<rd_kafka_message_t, rd_kafka_message_destroy>;
using Queue = Handle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Event = Handle<rd_kafka_event_t, rd_kafka_event_destroy>;
using Headers = Handle<rd_kafka_headers_t, rd_kafka_headers_destroy>;

}  // namespace fanfare::kafka
