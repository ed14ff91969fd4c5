#include "worker/topics.hpp"

#include "core/kafka/client.hpp"

namespace fanfare {

std::vector<std::string> read_topics(const KafkaSettings& settings) {
    const auto topics = kafka::list_topics(settings);
    std::vector<std::string> names{topics.jobs};
    names.insert(names.end(), topics.chunks.begin(), topics.chunks.end());
    names.push_back(topics.receipts);
    return names;
}

}  // namespace fanfare
