#pragma once

#include "core/async/shutdown.hpp"
#include "core/error/failure.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"

#include <memory>

namespace fanfare {

/// The producer: everything wired together, and nothing decided here.
///
/// Stop      SIGTERM or SIGINT: no new claims and no new requests; what is on its way to the
///           broker is waited for. What is not done after producer.drain_max_ms is left to leases,
///           and the process ends.
/// Threads   one for signals (the caller's), those of the scheduler, of HttpGateway, Kafka's,
/// health's.
class ProducerProgram {
public:
    struct Configuration {
        Settings settings;
        Systems systems;
    };

    /// Opens everything; fails with what to change. `shutdown` outlives it.
    [[nodiscard]] static Result<std::unique_ptr<ProducerProgram>> open(Configuration configuration,
                                                                       Shutdown& shutdown);
    virtual ~ProducerProgram() = default;

    /// Runs until SIGTERM or SIGINT. A second signal ends the process at once; leases then
    /// settle what was on its way.
    [[nodiscard]] virtual int run() = 0;
};

}  // namespace fanfare
