#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// What was published and refused: to be looked at, mended and published once more, or dropped.
/// Not for clients that are bound to an owner or to systems: nobody knows whose a letter is.
void add_dead_letter_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
