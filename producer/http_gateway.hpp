#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/kafka/topic_keeper.hpp"
#include "core/postgres/pool.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "core/tracing/tracer.hpp"

#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <vector>

namespace fanfare {

/// The producer's HTTP side wired together: server, webhooks, unsubscribe links,
/// and the API for backends where there are clients of it.
///
/// Stop      stop() serves what has arrived, then ends; the destructor does the same.
/// Threads   the server's own, those of its connections to the ledger, Kafka's.
class HttpGateway {
public:
    /// Binds and opens; serves from start() on. Fails with what to change.
    /// `keeper` hears of topics that are missed and outlives it; `hurry` is called, on the server's
    /// thread, when something may be due sooner; `tracer` is null where nobody wants spans.
    [[nodiscard]] static Result<std::unique_ptr<HttpGateway>> open(
        const Settings& settings, const Systems& systems, const Clock& clock,
        std::shared_ptr<prometheus::Registry> registry, kafka::TopicKeeper* keeper,
        std::function<void()> hurry, Tracer* tracer);
    virtual ~HttpGateway() = default;

    virtual void start() = 0;
    virtual void stop() = 0;
    /// What it asks databases with; theirs as long as it lives.
    [[nodiscard]] virtual std::vector<postgres::NamedPool> pools() const = 0;
};

}  // namespace fanfare
