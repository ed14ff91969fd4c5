#include "producer/api/history.hpp"

#include "core/domain/uuid.hpp"
#include "core/ledger/history.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"
#include "producer/api/to_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

json::object row_to_json(const ledger::PersonDelivery& delivery) {
    auto object = to_json(delivery.fate);
    object["job"] = delivery.job;
    object["system"] = delivery.system;
    object["kind"] = delivery.kind;
    object["subject"] = text_or_null(delivery.subject);
    object["title"] = text_or_null(delivery.title);
    object["created_at"] = delivery.created_at;
    object["replay_of"] = text_or_null(delivery.replay_of);
    return object;
}

asio::awaitable<HttpReply> show_history(const ApiContext& parts, const HttpCall& call,
                                        const Caller& caller) {
    constexpr std::array<std::string_view, 3> known{"system", "cursor", "limit"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    const auto limit = query.limit();
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    ledger::HistoryCursor cursor;
    if (!query["cursor"].empty()) {
        const auto place = read_cursor(query["cursor"]);
        if (!place || !parse_timestamp(place->first) || !is_uuid(place->second)) {
            co_return bad_query("cursor", "next_cursor of the page before");
        }
        cursor = {place->first, place->second};
    }
    const std::string recipient{call.param("recipient")};
    if (!is_plain(recipient, Job::id_bytes_max)) co_return nothing_here("recipient");
    const std::string system{query["system"]};
    std::vector<ledger::PersonDelivery> deliveries;
    auto work = [&](postgres::Connection& ledger) {
        return ledger::read_history(ledger, caller.access, system, recipient, cursor,
                                    static_cast<std::size_t>(*limit), deliveries);
    };
    std::string doing{"read somebody's history"};
    const auto more = co_await parts.reading.run(std::move(doing), work);
    if (!more) co_return unavailable(more.error());
    json::array list;
    for (const auto& delivery : deliveries) list.push_back(row_to_json(delivery));
    json::value next;
    if (more.value()) next = make_cursor(cursor.before_at, cursor.before_id);
    const json::object page{{"recipient", recipient},
                            {"deliveries", std::move(list)},
                            {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

}  // namespace

void add_history_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.get("/v1/people/{recipient}/deliveries", Scope::read,
               [&parts](const HttpCall& call, const Caller& caller) {
                   return show_history(parts, call, caller);
               });
}

}  // namespace fanfare::api
