#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/settings/settings.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace fanfare {

/// Where the topics that a worker reads stand in read_topics(): jobs, the lanes, receipts.
inline constexpr std::size_t jobs_topic = 0;
inline constexpr std::size_t receipts_topic = 1 + lane_count;

[[nodiscard]] std::vector<std::string> read_topics(const KafkaSettings& settings);

}  // namespace fanfare
