#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/preview and /v1/test-sends. `parts` outlives the routes.
void add_preview_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
