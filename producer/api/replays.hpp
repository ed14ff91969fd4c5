#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// POST and GET /v1/replays, GET /v1/replays/{id}.
void add_replay_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
