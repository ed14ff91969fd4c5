#pragma once

#include "producer/api/routes.hpp"

#include <variant>

namespace fanfare::api {

/// What a CloudEvent in a request orders, structured or binary; its key is the header
/// Idempotency-Key, else its data's idempotency_key, else its source and id.
[[nodiscard]] std::variant<Order, HttpReply> read_event_order(const HttpCall& call,
                                                              const Caller& caller,
                                                              const Known& known);

/// /v1/events. `parts` outlives the routes.
void add_event_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
