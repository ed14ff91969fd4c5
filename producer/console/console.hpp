#pragma once

#include "core/clock/clock.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "producer/api/clients.hpp"
#include "producer/http/router.hpp"

#include <memory>

namespace fanfare::console {

/// The pages at /console: what the API tells and does, for people with a browser. They sign in
/// with the token of a client of the API, which is asked for once and kept nowhere; what they may
/// do and see is what that client may. docs/console.md
///
/// Bounds    live_max streams of live numbers at once, and a quarter of connections_max, each ten
///           minutes; whoever comes beyond gets the page without them.
/// Stop      close(), on the server's thread, ends the streams.
/// Threads   the server's.
/// Lifetime  outlives the server's handlers, as everything that open() gets outlives it.
class Console {
public:
    static constexpr std::size_t live_max = 32;

    struct Parts {
        const Settings& settings;
        const Systems& systems;
        const Clock& clock;
        api::Clients& clients;
        Router api;  // Of api::ApiServer::add_inner_routes().
    };
    [[nodiscard]] static std::unique_ptr<Console> open(Parts parts);
    virtual ~Console() = default;

    virtual void add_routes(Router& router) = 0;
    virtual void close() = 0;
};

}  // namespace fanfare::console
