#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/systems/{system}/subjects/{subject}: what was scheduled and sent about a subject and its
/// moments, and how it was received. `parts` outlives the routes.
void add_subject_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
