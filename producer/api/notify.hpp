#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// /v1/systems/{system}/subjects/{subject}/notify: now, and how many were told. `parts` outlives
/// the routes.
void add_notify_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
