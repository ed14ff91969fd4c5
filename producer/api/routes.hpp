#pragma once

#include "core/clock/clock.hpp"
#include "core/orders/order_look.hpp"
#include "core/postgres/pool.hpp"
#include "core/rendering/templates.hpp"
#include "core/settings/settings.hpp"
#include "core/tracing/tracer.hpp"
#include "producer/api/clients.hpp"
#include "producer/api/order.hpp"
#include "producer/api/turns.hpp"
#include "producer/http/router.hpp"
#include "producer/unsubscribe/lookup.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

namespace fanfare::api {

/// The texts of the shipped templates, by folder and part.
using Shipped = std::map<std::string, OwnParts, std::less<>>;

/// The dependencies of all API routes.
///
/// Threads   the server's.
/// Lifetime  outlives the server's handlers, as everything it refers to.
struct ApiContext {
    using Publish = std::function<boost::asio::awaitable<Result<void>>(
        std::string job, std::string body, std::string trace)>;

    const Settings& settings;
    const Systems& systems;
    const Templates& templates;
    const Shipped& shipped;
    const Clock& clock;
    postgres::Pool& ledger;      // Writes, and what is found by a key.
    postgres::Pool& reading;     // Read-only: what is found by a key, and pages.
    postgres::Pool& surveying;   // Read-only: estimates, people, exports; in `turns`.
    postgres::Pool& refreshing;  // Due queries; in `refreshes`.
    postgres::Pool& sealing;     // Writes that wait for the broker.
    Turns& turns;
    Turns& refreshes;
    OrderLook& orders;
    const std::map<std::string, std::unique_ptr<postgres::Pool>>& sources;  // By system; read-only.
    Publish publish;  // No failure once the broker has the job.
    AddressLookup& lookup;
    std::function<void()> hurry;  // Something may be due, or to be replayed, sooner than the
                                  // scheduler thinks.
    Tracer* tracer = nullptr;     // Null: nobody wants spans.

    [[nodiscard]] Known known() const { return {systems, templates}; }
};

/// Serves one call of a caller who may make it.
using Served = std::function<boost::asio::awaitable<HttpReply>(const HttpCall&, const Caller&)>;

/// Who makes a call, or what it is refused with.
using Admit = std::function<std::variant<Caller, HttpReply>(const HttpCall&, Scope)>;

/// The API's routes, which only a client with the scope gets through, before anything of a
/// body is read.
class AuthorizedRoutes {
public:
    AuthorizedRoutes(Router& router, Admit admit) : router_{router}, admit_{std::move(admit)} {}

    void get(std::string_view pattern, Scope scope, Served served);
    /// With a JSON body of at most `body_max` bytes.
    void post(std::string_view pattern, Scope scope, Served served,
              std::size_t body_max = Job::bytes_max, std::string_view method = "POST");
    /// With a body of other types.
    void post(std::string_view pattern, Scope scope, Served served, RouteOptions options);

private:
    Router& router_;
    Admit admit_;
};

/// Every route of the API.
void add_api_routes(Router& router, const ApiContext& parts, const Admit& admit);

}  // namespace fanfare::api
