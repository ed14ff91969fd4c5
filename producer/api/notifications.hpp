#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// /v1/notifications, and the subjects of systems. `parts` outlives the routes.
void add_notification_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
