#include "worker/plan/descriptors.hpp"

#include "core/wire/descriptor.hpp"

#include <fmt/format.h>

namespace fanfare {

Result<void> KafkaDescriptors::publish(Lane lane, const ledger::ChunkKey& key) {
    const auto& topic = topics_.chunks[static_cast<std::size_t>(lane)];
    const auto value = encode_descriptor(key);
    const auto name = fmt::format("{}/{}/{}", key.job, static_cast<int>(key.channel), key.number);
    return producer_.publish({topic, name, value, {}}, {});
}

}  // namespace fanfare
