#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/jobs: ordering, listing and cancelling. `parts` outlives the routes.
void add_job_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
