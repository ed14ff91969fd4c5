#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// GET /v1/people/{recipient}/deliveries.
void add_history_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
