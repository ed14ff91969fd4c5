#pragma once

#include "producer/http/exchange.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

/// What a route asks of its calls before its handler sees them.
struct RouteOptions {
    /// Looks at a call before anything of its body is read, and says who serves it: then the route
    /// needs no handler. Only what came through a gate may keep a connection for long.
    HttpGate gate;
    bool gate_knows = true;    // False: it looks at what is asked for; who asks stays a stranger.
    std::size_t body_max = 0;  // 0: the server's own. Beyond: 413.
    std::vector<std::string> content_types;  // Of a body, in lower case; empty: any. Else 415.
    bool body_counts = true;                 // False: a body is not even read, whatever it is.
    std::string counted_as{};                // In metrics, together with others; "": by itself.
};

/// One method and pattern, and who serves it.
struct Route {
    std::string method;
    std::string pattern;  // "/webhooks/{account}"
    HttpHandler handler;
    RouteOptions options;

    /// The label of metrics.
    [[nodiscard]] const std::string& label() const noexcept {
        return options.counted_as.empty() ? pattern : options.counted_as;
    }
};

/// Finds who serves a call, by method and path. {name} in a pattern stands for one segment that
/// is not empty, in which a '/' is written as %2F. The first route that was added and fits wins; a
/// GET route serves HEAD too.
///
///     router.add("POST", "/webhooks/{account}", [&](const HttpCall& call) { ... });
///
/// Threads   one.
class Router {
public:
    void add(std::string_view method, std::string_view pattern, HttpHandler handler,
             RouteOptions options = {});

    struct Match {
        Route* route = nullptr;  // Nothing: 404, or 405 where `allow` is not empty.
        std::vector<std::pair<std::string, std::string>> params;
        std::string allow;  // "GET, HEAD": the methods that this path has.
    };
    [[nodiscard]] Match find(std::string_view method, std::string_view path) const;

    [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const noexcept {
        return routes_;
    }

private:
    std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace fanfare
