#pragma once

#include "worker/intake/dead_letters.hpp"
#include "worker/plan/descriptors.hpp"

namespace fanfare {

/// What the stages of a worker publish, on the real broker.
///
/// Lifetime  the producer outlives it.
struct BrokerPorts {
    BrokerPorts(kafka::Producer& producer, const kafka::Topics& topics)
        : descriptors{producer, topics}, dead_letters{producer, topics.dead} {}

    KafkaDescriptors descriptors;
    KafkaDeadLetters dead_letters;
};

}  // namespace fanfare
