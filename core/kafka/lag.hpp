#pragma once

#include "core/error/failure.hpp"
#include "core/settings/settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::kafka {

/// How far the group of the workers is behind a topic.
struct TopicLag {
    std::string topic;
    std::int64_t records = 0;  // Published, and not finished by the group.
};
struct GroupState {
    std::size_t members = 0;
    std::vector<TopicLag> topics;  // Those that workers read and that are there.
};

/// Asks without joining the group: nobody else notices. Waits up to 20 s.
[[nodiscard]] Result<GroupState> look_at_group(const KafkaSettings& settings);

}  // namespace fanfare::kafka
