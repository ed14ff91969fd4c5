#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/observe/sides.hpp"
#include "core/settings/settings.hpp"

#include <prometheus/collectable.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// What /readyz says: ready, or why not.
struct Readiness {
    bool ready = false;
    std::string why;
};

/// Whether each of a program's loops has turned lately: one that has not is stuck.
[[nodiscard]] bool all_turn(std::initializer_list<SteadyTime> last_turns, SteadyTime now,
                            std::chrono::seconds stuck_after);

/// Serves GET /metrics, /healthz and /readyz on a thread of its own, so that a scrape never
/// delays a send and a stuck loop is still seen. Ready is who is so by its own word and whose
/// sides answer, which fanfare_ready says too; alive is who is not stuck, whatever the sides do: a
/// restart mends no database.
///
/// Bounds    64 connections, 16 of one peer, of which the one that waits longest makes room;
///           those of read_head(); 5 s each. A body is never read.
/// Stop      the destructor closes the listener and joins the thread.
/// Threads   `alive` and `ready` are called on the server's thread.
class HealthServer {
public:
    struct Checks {
        std::function<bool()> alive;
        std::function<Readiness()> ready;
        std::vector<Side> sides;
        std::string program{};  // For fanfare_build_info ...
        std::string version{};  // ... as core/program/version.hpp says.
    };

    /// Binds and starts. Fails with what to change when the port is taken.
    [[nodiscard]] static Result<std::unique_ptr<HealthServer>> start(
        const ObserveSettings& settings, const Clock& clock,
        std::shared_ptr<prometheus::Collectable> families, Checks checks);

    virtual ~HealthServer() = default;
    [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
};

}  // namespace fanfare
