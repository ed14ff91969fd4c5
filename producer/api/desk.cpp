#include "producer/api/desk.hpp"

#include "producer/api/cron.hpp"
#include "producer/api/estimate.hpp"
#include "producer/api/events.hpp"
#include "producer/api/jobs.hpp"
#include "producer/api/notifications.hpp"
#include "producer/api/notify.hpp"
#include "producer/api/openapi.hpp"
#include "producer/api/opt_outs.hpp"
#include "producer/api/outcomes.hpp"
#include "producer/api/people.hpp"
#include "producer/api/preview.hpp"
#include "producer/api/subjects.hpp"
#include "producer/api/templates.hpp"

namespace fanfare::api {
namespace {

namespace asio = boost::asio;

struct Guard {
    std::shared_ptr<Clients> clients;
    Scope scope;
    Served served;

    [[nodiscard]] static asio::awaitable<HttpReply> enter(const Guard& guard,
                                                          const HttpCall& call) {
        auto admitted = guard.clients->admit(call, guard.scope);
        if (auto* const reply = std::get_if<HttpReply>(&admitted)) co_return std::move(*reply);
        co_return co_await guard.served(call, std::get<Caller>(admitted));
    }
};

HttpHandler guarded(std::shared_ptr<Clients> clients, Scope scope, Served served) {
    auto guard = std::make_shared<Guard>(Guard{std::move(clients), scope, std::move(served)});
    return [guard](const HttpCall& call) { return Guard::enter(*guard, call); };
}

asio::awaitable<HttpReply> show_openapi(const HttpCall&) {
    HttpReply reply;
    reply.content_type = "application/yaml";
    reply.body = openapi_document();
    co_return reply;
}

}  // namespace

void Door::get(std::string_view pattern, Scope scope, Served served) {
    router_.add("GET", pattern, guarded(clients_, scope, std::move(served)));
}

void Door::post(std::string_view pattern, Scope scope, Served served, std::size_t body_max,
                std::string_view method) {
    router_.add(method, pattern, guarded(clients_, scope, std::move(served)),
                {.body_max = body_max, .content_types = {"application/json"}, .per_second = 0});
}

void Door::post(std::string_view pattern, Scope scope, Served served, RouteOptions options) {
    router_.add("POST", pattern, guarded(clients_, scope, std::move(served)), std::move(options));
}

void add_api_routes(Router& router, const Parts& parts) {
    Door door{router, std::make_shared<Clients>(parts.settings.producer.clients, parts.clock)};
    add_job_routes(door, parts);
    add_event_routes(door, parts);
    add_outcome_routes(door, parts);
    add_notification_routes(door, parts);
    add_notify_routes(door, parts);
    add_preview_routes(door, parts);
    add_estimate_routes(door, parts);
    add_cron_routes(door, parts);
    add_template_routes(door, parts);
    add_subject_routes(door, parts);
    add_people_routes(door, parts);
    add_opt_out_routes(door, parts);
    router.add("GET", "/openapi.yaml", show_openapi);
}

}  // namespace fanfare::api
