#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/templates: what notifications say, shipped and owners' own. `parts` outlives the routes.
void add_template_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
