#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/preview and /v1/test-sends. `parts` outlives the routes.
void add_preview_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
