#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// What operators hold back, and let go. A client that is bound to an owner, or to systems, only
/// jobs that it sees.
void add_pause_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
