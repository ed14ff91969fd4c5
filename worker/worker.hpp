#pragma once

#include "core/error/failure.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "worker/rendering/templates.hpp"

#include <functional>
#include <memory>

namespace fanfare {

/// The worker: everything wired together, and nothing decided here.
///
/// Stop      stop() may be called from a signal handler's coroutine; run() returns when the
///           drain is over: what was claimed is sent and recorded, the rest is left to others.
/// Threads   one event loop (the caller's), pools of the databases, two planners, Kafka's.
class Worker {
public:
    struct Configuration {
        Settings settings;
        Systems systems;
        Templates templates;
    };

    /// Opens everything; fails with what to change.
    [[nodiscard]] static Result<std::unique_ptr<Worker>> open(Configuration configuration);
    virtual ~Worker() = default;

    /// Runs until SIGTERM or SIGINT. A second signal ends the process at once; leases then
    /// settle what was in flight.
    [[nodiscard]] virtual int run() = 0;
};

}  // namespace fanfare
