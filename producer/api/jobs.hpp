#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/jobs: ordering, listing and cancelling. `parts` outlives the routes.
void add_job_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
