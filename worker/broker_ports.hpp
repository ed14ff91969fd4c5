#pragma once

#include "worker/plan/descriptors.hpp"

namespace fanfare {

/// What the stages of a worker publish, on the real broker.
///
/// Lifetime  the producer outlives it.
struct BrokerPorts {
    BrokerPorts(kafka::Producer& producer, const kafka::Topics& topics)
        : descriptors{producer, topics} {}

    KafkaDescriptors descriptors;
};

}  // namespace fanfare
