#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/systems/{system}/subjects/{subject}/notify: now, and how many were told. `parts` outlives
/// the routes.
void add_notify_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
