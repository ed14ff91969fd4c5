#pragma once

#include "core/error/failure.hpp"
#include "core/kafka/client.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What a person asks of the broker about our topics. Each call opens a client of its own and waits
/// up to 20 s.
namespace fanfare::kafka {

/// Kafka's own max.message.bytes: room for the largest job and what goes around it.
constexpr std::int64_t record_bytes_wanted = 1'048'588;

/// One of our topics as the broker has it.
struct TopicState {
    std::string name;
    std::int32_t partitions = 0;            // 0: it is not there.
    bool is_stamped_by_publishers = false;  // Theirs are the moments: CreateTime.
    std::int64_t record_bytes_max = 0;      // max.message.bytes; 0: the broker does not say.
};

/// All of them, as list_names() orders them.
[[nodiscard]] Result<std::vector<TopicState>> look_at_topics(const KafkaSettings& settings);

/// Gives `partitions` to those that have fewer: Kafka takes none away. Their names.
[[nodiscard]] Result<std::vector<std::string>> grow_topics(const KafkaSettings& settings,
                                                           std::int32_t partitions);

}  // namespace fanfare::kafka
