#pragma once

#include "producer/api/desk.hpp"

namespace fanfare::api {

/// POST and GET /v1/replays, GET /v1/replays/{id}.
void add_replay_routes(Door& door, const Parts& parts);

}  // namespace fanfare::api
