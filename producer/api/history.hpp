#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// GET /v1/people/{recipient}/deliveries.
void add_history_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
