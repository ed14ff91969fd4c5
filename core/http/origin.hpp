#pragma once

#include "core/http/open_exchange.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// The server of an absolute URL of http or https; nothing where it is none, or names a user.
[[nodiscard]] std::optional<HttpOrigin> read_origin(std::string_view url);

/// True where the URL goes to that server.
[[nodiscard]] bool is_of(std::string_view url, const HttpOrigin& origin);

/// Writes what of a URL of that server stands in a request, without the fragment. False where a
/// byte may not stand there.
[[nodiscard]] bool write_target(std::string_view url, const HttpOrigin& origin,
                                std::string& target);

}  // namespace fanfare
