#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/systems/{system}/audiences/{audience}/people: who is in an audience, whether a message would
/// reach them, as pages or CSV. `parts` outlives the routes.
void add_people_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
