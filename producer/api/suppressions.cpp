#include "producer/api/suppressions.hpp"

#include "core/domain/utf8.hpp"
#include "core/ledger/suppression_list.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <variant>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t search_bytes_max = 200;

struct Wanted {
    ledger::SuppressionFilter filter;
    ledger::SuppressionCursor cursor;
};

std::variant<Wanted, HttpReply> read_wanted(const QueryString& query) {
    Wanted wanted;
    wanted.filter = {parse_channel(query["channel"]), std::string{query["search"]}};
    if (!query["channel"].empty() && !wanted.filter.channel) {
        return bad_query("channel", "email, sms or push");
    }
    if (!query["search"].empty() && !is_plain(query["search"], search_bytes_max)) {
        return bad_query("search", "an address, or how one begins");
    }
    if (query["cursor"].empty()) return wanted;
    const auto place = read_cursor(query["cursor"]);
    const auto channel = place ? parse_channel(place->first) : std::nullopt;
    // What a provider wrote may be no address at all.
    if (!channel || !is_utf8(place->second) || place->second.find('\0') != std::string::npos) {
        return bad_query("cursor", "next_cursor of the page before");
    }
    wanted.cursor = {*channel, place->second};
    return wanted;
}

json::object row_to_json(const ledger::Suppression& one) {
    return {{"channel", text(to_string(one.channel))},
            {"address", one.address},
            {"reason", one.reason},
            {"source", one.source},
            {"since", one.since}};
}

asio::awaitable<HttpReply> list_suppressions(const ApiContext& parts, const HttpCall& call,
                                             const Caller& caller) {
    if (caller.owner_bound || !caller.systems.empty()) {
        co_return refusal(403, "owner_denied", "An address is suppressed for all systems.");
    }
    constexpr std::array<std::string_view, 4> known{"channel", "search", "cursor", "limit"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    const auto limit = query.limit();
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    auto wanted = read_wanted(query);
    if (auto* const reply = std::get_if<HttpReply>(&wanted)) co_return std::move(*reply);
    auto& [filter, cursor] = std::get<Wanted>(wanted);
    std::vector<ledger::Suppression> found;
    auto work = [&](postgres::Connection& ledger) {
        return ledger::list_suppressions(ledger, filter, cursor, static_cast<std::size_t>(*limit),
                                         found);
    };
    std::string doing{"list suppressions"};
    const auto more = co_await parts.reading.run(std::move(doing), work);
    if (!more) co_return unavailable(more.error());
    json::array rows;
    for (const auto& one : found) rows.push_back(row_to_json(one));
    json::value next;
    if (more.value()) next = make_cursor(to_string(cursor.channel), cursor.address);
    const json::object page{{"suppressions", std::move(rows)}, {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

}  // namespace

void add_suppression_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.get("/v1/suppressions", Scope::export_,
               [&parts](const HttpCall& call, const Caller& caller) {
                   return list_suppressions(parts, call, caller);
               });
}

}  // namespace fanfare::api
