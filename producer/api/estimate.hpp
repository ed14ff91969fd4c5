#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/estimate: how many, what it costs, how long. `parts` outlives the routes.
void add_estimate_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
