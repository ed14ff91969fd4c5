#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/jobs/{id}/outcomes and /recipients: the fate of everyone. `parts` outlives the routes.
void add_outcome_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
