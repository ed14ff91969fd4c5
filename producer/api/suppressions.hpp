#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// The addresses that get nothing more, whoever's they are: for clients of all systems.
void add_suppression_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
