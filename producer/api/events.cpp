#include "producer/api/events.hpp"

#include "core/wire/cloud_event.hpp"
#include "core/wire/trace_context.hpp"
#include "producer/api/create_job.hpp"
#include "producer/api/event_headers.hpp"
#include "producer/api/reply.hpp"

#include <fmt/format.h>

#include <utility>

namespace fanfare::api {
namespace {

constexpr const char* structured = "application/cloudevents+json";
constexpr const char* batch = "application/cloudevents-batch+json";
boost::asio::awaitable<HttpReply> take_event(const ApiContext& parts, const HttpCall& call,
                                             const Caller& caller) {
    auto read = read_event_order(call, caller, parts.known());
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    co_return co_await create_job(parts, caller, std::get<Order>(read));
}

}  // namespace

std::variant<Order, HttpReply> read_event_order(const HttpCall& call, const Caller& caller,
                                                const Known& known) {
    if (call.media_type() == batch) {
        return refusal(415, "no_batches", "Batches are not taken here; send each event alone.");
    }
    auto key = read_idempotency_key(call);
    if (auto* const reply = std::get_if<HttpReply>(&key)) return std::move(*reply);
    const auto headers = event_headers(call);
    if (const auto* const rejection = std::get_if<Rejection>(&headers)) return refusal(*rejection);
    const auto& sent = std::get<HeaderList>(headers);
    if (!is_cloud_event(sent)) {
        return refusal(422, "invalid_event",
                       fmt::format("This is no CloudEvent: send {}, or the attributes as headers "
                                   "(ce-id, ...); a plain job goes to /v1/jobs.",
                                   structured));
    }
    auto read = read_event(sent, call.body);
    if (const auto* const rejection = std::get_if<Rejection>(&read)) return refusal(*rejection);
    auto& event = std::get<CloudEvent>(read);
    if (event.key.size() > key_bytes_max) event.key = derived_id(event.key);
    auto order =
        read_order(std::move(event.data),
                   {std::move(std::get<std::string>(key)), std::move(event.key)}, caller, known);
    if (auto* const made = std::get_if<Order>(&order)) {
        made->trace = read_trace(call.headers);  // Nearer than what the event came about in.
        if (made->trace.empty()) made->trace = std::move(event.trace);
    }
    return order;
}

void add_event_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    RouteOptions options;
    options.body_max = Job::bytes_max;
    options.content_types = {structured, "application/json", batch};
    routes.post(
        "/v1/events", Scope::publish,
        [&parts](const HttpCall& call, const Caller& caller) {
            return take_event(parts, call, caller);
        },
        std::move(options));
}

}  // namespace fanfare::api
