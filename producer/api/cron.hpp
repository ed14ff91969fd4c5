#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/cron: runs due queries now, for whoever rings. `parts` outlives the routes.
void add_cron_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
