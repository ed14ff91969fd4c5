#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/settings/settings.hpp"

#include <prometheus/registry.h>

#include <memory>

namespace fanfare {

/// The producer's HTTP side wired together: server, webhooks, unsubscribe links.
///
/// Stop      stop() serves what has arrived, then ends; the destructor does the same.
/// Threads   the server's own, those of its connections to the ledger, Kafka's.
class Front {
public:
    /// Binds and opens; serves from start() on. Fails with what to change.
    [[nodiscard]] static Result<std::unique_ptr<Front>> open(
        const Settings& settings, const Clock& clock,
        std::shared_ptr<prometheus::Registry> registry);
    virtual ~Front() = default;

    virtual void start() = 0;
    virtual void stop() = 0;
};

}  // namespace fanfare
