#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/notifications, and the subjects of systems. `parts` outlives the routes.
void add_notification_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
