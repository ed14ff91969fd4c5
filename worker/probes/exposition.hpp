#pragma once

#include "core/kafka/consumer.hpp"
#include "core/observe/families.hpp"
#include "core/postgres/pool_families.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// What a worker shows beside what it counts: how far it is behind the broker, by topic, and what
/// its pools of connections do. The functions are called for each scrape, on its thread.
struct WorkerState {
    std::function<kafka::Lags()> lags;  // Nothing before the first record.
    std::vector<std::string> topics;
    std::function<postgres::NamedPools()> pools;
};
[[nodiscard]] std::shared_ptr<Exposition> worker_exposition(
    std::shared_ptr<prometheus::Collectable> counted, WorkerState state);

}  // namespace fanfare
