#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/systems/{system}/recipients/{recipient}: what a person has unsubscribed from, and the
/// backend's word that they do, or want it back. `parts` outlives the routes.
void add_opt_out_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
