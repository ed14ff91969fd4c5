#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/jobs/{id}/outcomes and /recipients: the fate of everyone. `parts` outlives the routes.
void add_outcome_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
