#include "producer/http/router.hpp"

#include "producer/http/text.hpp"

#include <algorithm>
#include <optional>

namespace fanfare {
namespace {

using Params = std::vector<std::pair<std::string, std::string>>;

/// The next segment of a path that begins with '/', taken off it.
std::string_view next_segment(std::string_view& path) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

std::optional<Params> fit(std::string_view pattern, std::string_view path) {
    Params params;
    while (pattern.starts_with('/') && path.starts_with('/')) {
        const auto wanted = next_segment(pattern);
        auto given = percent_decoded(next_segment(path), false);
        if (!given) return std::nullopt;
        if (wanted.starts_with('{') && wanted.ends_with('}')) {
            if (given->empty()) return std::nullopt;
            params.emplace_back(wanted.substr(1, wanted.size() - 2), std::move(*given));
        } else if (wanted != *given) {
            return std::nullopt;
        }
    }
    if (!pattern.empty() || !path.empty()) return std::nullopt;
    return params;
}

void append_word(std::string_view word, std::string& list) {
    if (!list.empty()) list.append(", ");
    list.append(word);
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, HttpHandler handler,
                 RouteOptions options) {
    auto route = std::make_unique<Route>();
    route->method = method;
    route->pattern = pattern;
    route->handler = std::move(handler);
    route->options = std::move(options);
    routes_.push_back(std::move(route));
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
    Match match;
    Route* get = nullptr;
    Params get_params;
    for (const auto& route : routes_) {
        auto params = fit(route->pattern, path);
        if (!params) continue;
        if (route->method == method) {
            match.route = route.get();
            match.params = std::move(*params);
            return match;
        }
        append_word(route->method, match.allow);
        if (route->method != "GET" || get != nullptr) continue;
        append_word("HEAD", match.allow);
        get = route.get();
        get_params = std::move(*params);
    }
    if (method == "HEAD" && get != nullptr) {
        match.route = get;
        match.params = std::move(get_params);
    }
    return match;
}

}  // namespace fanfare
