#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/templates: what notifications say, shipped and owners' own. `parts` outlives the routes.
void add_template_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
