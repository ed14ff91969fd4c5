#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/estimate: how many, what it costs, how long. `parts` outlives the routes.
void add_estimate_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
