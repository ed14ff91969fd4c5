#pragma once

#include "core/kafka/producer.hpp"
#include "core/ledger/chunks.hpp"

namespace fanfare {

/// Tells whoever sends that a chunk is there. Nothing is lost where that fails: the chunk is in the
/// ledger, and a sweeper finds it.
///
/// Threads   any.
class Descriptors {
public:
    virtual ~Descriptors() = default;
    /// Fails where nothing can be queued just now.
    [[nodiscard]] virtual Result<void> publish(Lane lane, const ledger::ChunkKey& key) = 0;
};

/// The lanes' topics on Kafka.
///
/// Lifetime  the producer outlives it.
class KafkaDescriptors final : public Descriptors {
public:
    KafkaDescriptors(kafka::Producer& producer, kafka::Topics topics)
        : producer_{producer}, topics_{std::move(topics)} {}
    [[nodiscard]] Result<void> publish(Lane lane, const ledger::ChunkKey& key) override;

private:
    kafka::Producer& producer_;
    kafka::Topics topics_;
};

}  // namespace fanfare
