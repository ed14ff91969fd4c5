#pragma once

#include "core/kafka/consumer.hpp"
#include "core/observe/families.hpp"
#include "core/postgres/pool.hpp"
#include "core/tracing/tracer.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// What a worker counts, how far it is behind the broker, by topic, and what its pools and its
/// tracer, where there is one, do. `lags`
/// is called for each scrape, on its thread; it says nothing before the first record.
[[nodiscard]] std::shared_ptr<Exposition> worker_exposition(
    std::shared_ptr<prometheus::Collectable> counted, std::function<kafka::Lags()> lags,
    std::vector<std::string> topics, std::vector<postgres::NamedPool> pools,
    const Tracer* tracer = nullptr);

}  // namespace fanfare
