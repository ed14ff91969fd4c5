#pragma once

#include "core/async/shutdown.hpp"
#include "core/error/failure.hpp"
#include "core/rendering/templates.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

#include <functional>
#include <memory>

namespace fanfare {

/// The worker: everything wired together, and nothing decided here.
///
/// Stop      SIGTERM or SIGINT; run() returns when the drain is over: what was claimed is sent and
///           recorded, the rest is left to others. What is not done after worker.drain_max_ms is
///           left to leases, and the process ends.
/// Threads   one event loop (the caller's), pools of the databases, two planners, Kafka's.
class Worker {
public:
    struct Configuration {
        Settings settings;
        Systems systems;
        Templates templates;
    };

    /// Opens everything; fails with what to change. `shutdown` outlives it.
    [[nodiscard]] static Result<std::unique_ptr<Worker>> open(Configuration configuration,
                                                              Shutdown& shutdown);
    virtual ~Worker() = default;

    /// Runs until SIGTERM or SIGINT. A second signal ends the process at once; leases then
    /// settle what was in flight.
    [[nodiscard]] virtual int run() = 0;
};

}  // namespace fanfare
