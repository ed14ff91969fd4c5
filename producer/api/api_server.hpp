#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/postgres/pool.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "producer/api/routes.hpp"
#include "producer/http/router.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace fanfare::api {

/// The HTTP API wired together: templates, connections, routes.
///
/// Bounds    2 connections each for writes (5 s a statement), look-ups (10 s), surveys and exports
///           (30 s) and due queries, of their own, and for orders of each system: none delays
///           another, webhooks or the scheduler.
/// Stop      after close(), on the server's thread, nobody waits for a turn any more.
/// Threads   those of its connections; the handlers run on the server's.
/// Lifetime  what open() gets outlives it; it outlives the server's handlers.
class ApiServer {
public:
    /// Reads the templates; fails with what to change.
    [[nodiscard]] static Result<std::unique_ptr<ApiServer>> open(
        const Settings& settings, const Systems& systems, const Clock& clock,
        prometheus::Registry& registry, ApiContext::Publish publish, std::function<void()> hurry,
        Tracer* tracer = nullptr);
    virtual ~ApiServer() = default;

    virtual void add_routes(Router& router) = 0;
    /// The same routes for calls from within this program, which name the client in the header
    /// `inner_client` and are believed: never for a router that a network reaches.
    virtual void add_inner_routes(Router& router) = 0;
    static constexpr std::string_view inner_client{"inner-client"};
    [[nodiscard]] virtual Clients& clients() = 0;
    virtual void close() = 0;
    [[nodiscard]] virtual std::vector<postgres::NamedPool> pools() const = 0;
};

}  // namespace fanfare::api
