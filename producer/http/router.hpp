#pragma once

#include "core/clock/clock.hpp"
#include "producer/http/exchange.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

/// What a route asks of its calls before its handler sees them.
struct RouteOptions {
    std::size_t body_max = 0;                // 0: the server's own. Beyond: 413.
    std::vector<std::string> content_types;  // Of a body, in lower case; empty: any. Else 415.
    std::uint32_t per_second = 0;            // 0: no limit. Beyond: 429 with Retry-After.
};

/// One method and pattern, and who serves it.
struct Route {
    std::string method;
    std::string pattern;  // "/webhooks/{account}": label of metrics.
    HttpHandler handler;
    RouteOptions options;
    double calls_left = 0;  // Of per_second, as of ...
    Moment as_of{};

    /// True while the route's limit leaves a call; takes it. One second's worth may come at once.
    [[nodiscard]] bool take(Moment now);
};

/// Finds who serves a call, by method and path. {name} in a pattern stands for one segment that
/// is not empty. The first route that was added and fits wins; a GET route serves HEAD too.
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

private:
    std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace fanfare
