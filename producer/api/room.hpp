#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "producer/api/desk.hpp"
#include "producer/http/router.hpp"

#include <functional>
#include <memory>

namespace fanfare::api {

/// The HTTP API wired together: templates, connections, routes.
///
/// Bounds    2 connections for writes and look-ups (5 s a statement), 2 read-only ones for lists,
///           exports and estimates (30 s), of their own: neither delays webhooks or the scheduler.
/// Threads   those of its connections; the handlers run on the server's.
/// Lifetime  what open() gets outlives it; it outlives the server's handlers.
class Room {
public:
    /// Reads the templates; fails with what to change.
    [[nodiscard]] static Result<std::unique_ptr<Room>> open(const Settings& settings,
                                                            const Systems& systems,
                                                            const Clock& clock,
                                                            Parts::Publish publish,
                                                            std::function<void()> hurry);
    virtual ~Room() = default;

    virtual void add_routes(Router& router) = 0;
};

}  // namespace fanfare::api
