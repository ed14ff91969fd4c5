#pragma once

#include "producer/api/routes.hpp"

#include <boost/asio/awaitable.hpp>

namespace fanfare::api {

/// Remembers an order, publishes its job and answers 202 once the broker has it. The same key
/// with the same body is answered the same; with another body it is 409. What was remembered
/// without reaching the broker, or is lost since, is published again, as it was; one that a worker
/// refused is answered with its reason.
[[nodiscard]] boost::asio::awaitable<HttpReply> create_job(const ApiContext& parts,
                                                           const Caller& caller, Order& order);

}  // namespace fanfare::api
