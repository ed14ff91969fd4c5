#include "producer/api/routes.hpp"

#include "producer/api/accounts.hpp"
#include "producer/api/cron.hpp"
#include "producer/api/dead_letters.hpp"
#include "producer/api/estimate.hpp"
#include "producer/api/events.hpp"
#include "producer/api/history.hpp"
#include "producer/api/jobs.hpp"
#include "producer/api/notifications.hpp"
#include "producer/api/notify.hpp"
#include "producer/api/openapi.hpp"
#include "producer/api/opt_outs.hpp"
#include "producer/api/outcomes.hpp"
#include "producer/api/pauses.hpp"
#include "producer/api/people.hpp"
#include "producer/api/preview.hpp"
#include "producer/api/replays.hpp"
#include "producer/api/subjects.hpp"
#include "producer/api/suppressions.hpp"
#include "producer/api/templates.hpp"

namespace fanfare::api {
namespace {

namespace asio = boost::asio;

struct Guard {
    Admit admit;
    Scope scope;
    Served served;

    using Opened = std::variant<HttpHandler, HttpReply>;

    [[nodiscard]] static asio::awaitable<Opened> enter(std::shared_ptr<const Guard> guard,
                                                       const HttpCall& call) {
        auto admitted = guard->admit(call, guard->scope);
        if (auto* const reply = std::get_if<HttpReply>(&admitted)) co_return std::move(*reply);
        const auto caller = std::make_shared<const Caller>(std::move(std::get<Caller>(admitted)));
        co_return HttpHandler{
            [guard, caller](const HttpCall& whole) { return guard->served(whole, *caller); }};
    }
};

HttpGate guarded(Admit admit, Scope scope, Served served) {
    auto guard = std::make_shared<const Guard>(Guard{std::move(admit), scope, std::move(served)});
    return [guard](const HttpCall& call) { return Guard::enter(guard, call); };
}

asio::awaitable<HttpReply> show_openapi(const HttpCall&) {
    HttpReply reply;
    reply.content_type = "application/yaml";
    reply.body = openapi_document();
    co_return reply;
}

}  // namespace

void AuthorizedRoutes::get(std::string_view pattern, Scope scope, Served served) {
    RouteOptions options;
    options.gate = guarded(admit_, scope, std::move(served));
    router_.add("GET", pattern, {}, std::move(options));
}

void AuthorizedRoutes::post(std::string_view pattern, Scope scope, Served served,
                            std::size_t body_max, std::string_view method) {
    RouteOptions options;
    options.gate = guarded(admit_, scope, std::move(served));
    options.body_max = body_max;
    options.content_types = {"application/json"};
    router_.add(method, pattern, {}, std::move(options));
}

void AuthorizedRoutes::post(std::string_view pattern, Scope scope, Served served,
                            RouteOptions options) {
    options.gate = guarded(admit_, scope, std::move(served));
    router_.add("POST", pattern, {}, std::move(options));
}

void add_api_routes(Router& router, const ApiContext& parts, const Admit& admit) {
    AuthorizedRoutes routes{router, admit};
    add_job_routes(routes, parts);
    add_event_routes(routes, parts);
    add_outcome_routes(routes, parts);
    add_history_routes(routes, parts);
    add_notification_routes(routes, parts);
    add_notify_routes(routes, parts);
    add_preview_routes(routes, parts);
    add_estimate_routes(routes, parts);
    add_cron_routes(routes, parts);
    add_template_routes(routes, parts);
    add_subject_routes(routes, parts);
    add_people_routes(routes, parts);
    add_suppression_routes(routes, parts);
    add_opt_out_routes(routes, parts);
    add_replay_routes(routes, parts);
    add_pause_routes(routes, parts);
    add_account_routes(routes, parts);
    add_dead_letter_routes(routes, parts);
    router.add("GET", "/openapi.yaml", show_openapi);
}

}  // namespace fanfare::api
