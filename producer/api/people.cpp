#include "producer/api/people.hpp"

#include "core/audience/source.hpp"
#include "core/domain/utf8.hpp"
#include "core/rendering/utf8.hpp"
#include "producer/api/csv.hpp"
#include "producer/api/directory.hpp"
#include "producer/api/owners.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::string_view parameter_prefix{"param."};
constexpr std::size_t people_a_piece = 1'000;

json::object row_to_json(const Person& person) {
    json::object values;
    for (const auto& [name, value] : person.values) values[text(name)] = value;
    json::array contacts;
    for (const auto& contact : person.contacts) {
        contacts.push_back(json::object{{"channel", text(to_string(contact.channel))},
                                        {"address", text_or_null(contact.address)},
                                        {"standing", text(to_string(contact.standing))}});
    }
    return {{"recipient", person.recipient},
            {"locale", text_or_null(person.locale)},
            {"time_zone", text_or_null(person.time_zone)},
            {"person", std::move(values)},
            {"contacts", std::move(contacts)}};
}

void append_rows(const Person& person, std::string& out) {
    const auto found = person.values.find("name");
    const std::string name = found == person.values.end() ? "" : found->second;
    for (const auto& contact : person.contacts) {
        append_csv_row({person.recipient, name, person.locale, person.time_zone,
                        to_string(contact.channel), contact.address, to_string(contact.standing)},
                       out);
    }
    if (person.contacts.empty()) {
        append_csv_row({person.recipient, name, person.locale, person.time_zone, "", "", ""}, out);
    }
}

/// Pages through a directory, each time on a connection of its own to the system's database.
class Listing : public std::enable_shared_from_this<Listing> {
public:
    Listing(const ApiContext& parts, std::string client, const System& system, Directory directory,
            std::string after)
        : parts_{parts},
          client_{std::move(client)},
          system_{system},
          directory_{std::move(directory)},
          after_{std::move(after)} {}

    /// One page; whether there is more.
    asio::awaitable<Result<bool>> read(std::size_t limit) {
        people_.clear();
        auto work = [this, limit](postgres::Connection& ledger) {
            const postgres::Limits limits{.statement_timeout = system_.statement_timeout,
                                          .read_only = true};
            postgres::Connection source{database_for(parts_.settings, system_), limits};
            return directory_.read(source, ledger, after_, limit, people_);
        };
        std::string doing{"list people"};
        auto done = co_await parts_.surveying.run(std::move(doing), work);
        more_ = done && done.value();
        co_return done;
    }

    asio::awaitable<std::optional<std::string>> next_piece() {
        std::string piece;
        while (piece.empty() && more_) {
            std::string client = client_;
            const auto turn = co_await parts_.turns.take(std::move(client), Turns::no_limit);
            if (!turn) co_return std::nullopt;
            const auto done = co_await read(people_a_piece);
            if (!done) {
                log_failed_call(done.error());
                co_return std::nullopt;
            }
            for (const auto& person : people_) append_rows(person, piece);
        }
        co_return piece;
    }

    [[nodiscard]] const std::vector<Person>& people() const noexcept { return people_; }
    [[nodiscard]] const std::string& after() const noexcept { return after_; }

private:
    const ApiContext& parts_;
    std::string client_;
    const System& system_;
    Directory directory_;
    std::string after_;
    std::vector<Person> people_;
    bool more_ = true;
};

/// With the page that was read: what the query refuses has been said instead.
HttpReply csv_reply(const std::string& name, std::shared_ptr<Listing> listing) {
    HttpReply reply;
    reply.content_type = "text/csv; charset=utf-8";
    reply.headers.emplace_back("Content-Disposition",
                               fmt::format("attachment; filename=\"{}.csv\"", name));
    append_csv_row({"recipient", "name", "locale", "time_zone", "channel", "address", "standing"},
                   reply.body);
    for (const auto& person : listing->people()) append_rows(person, reply.body);
    reply.pieces = [listing = std::move(listing)] { return listing->next_piece(); };
    return reply;
}

/// The audience's parameters out of the query.
std::variant<Params, HttpReply> read_params(const Audience& audience, const QueryString& query,
                                            const Caller& caller) {
    Params params;
    for (const auto& name : audience.query.parameters) {
        const auto value = query[fmt::format("{}{}", parameter_prefix, name)];
        if (!value.empty()) params.emplace(name, value);
    }
    if (auto denial = keep_to_owner(params, audience, caller)) return std::move(*denial);
    for (const auto& name : audience.query.parameters) {
        if (params.contains(name) || !audience.needs(name)) continue;
        return bad_query(fmt::format("{}{}", parameter_prefix, name),
                         "what the audience is asked for");
    }
    return params;
}

/// What is asked for, or what stands against it.
std::variant<Directory::Wanted, HttpReply> read_wanted(const System& system,
                                                       const Audience& audience,
                                                       const QueryString& query,
                                                       const Caller& caller) {
    auto params = read_params(audience, query, caller);
    if (auto* const reply = std::get_if<HttpReply>(&params)) return std::move(*reply);
    Directory::Wanted wanted{.system = system,
                             .audience = audience,
                             .params = std::move(std::get<Params>(params)),
                             .list = system.name,
                             .kind = nullptr,
                             .channel = parse_channel(query["channel"]),
                             .standing = parse_standing(query["standing"]),
                             .search = case_folded(query["search"])};
    if (!query["channel"].empty() && !wanted.channel) {
        return bad_query("channel", "email, sms or push");
    }
    if (!query["standing"].empty() && !wanted.standing) {
        return bad_query("standing",
                         "reachable, no_address, invalid_address, opted_out, unsubscribed, "
                         "suppressed or too_often");
    }
    if (query["kind"].empty()) return wanted;
    const auto* const kind = system.find_kind(query["kind"]);
    if (kind == nullptr) return bad_query("kind", "a kind of this system");
    wanted.list = kind->list;
    wanted.kind = kind;
    return wanted;
}

asio::awaitable<HttpReply> list_people(const ApiContext& parts, const HttpCall& call,
                                       const Caller& caller) {
    const std::string name{call.param("system")};
    if (auto denial = denied(caller, name)) co_return std::move(*denial);
    const auto system = parts.systems.find(name);
    if (system == parts.systems.end()) co_return nothing_here("system");
    const auto* const audience = system->second.find_audience(call.param("audience"));
    if (audience == nullptr) co_return nothing_here("audience");
    std::vector<std::string> parameters;
    for (const auto& parameter : audience->query.parameters) {
        parameters.push_back(fmt::format("{}{}", parameter_prefix, parameter));
    }
    std::vector<std::string_view> known{"channel", "standing", "search", "kind", "cursor", "limit"};
    known.insert(known.end(), parameters.begin(), parameters.end());
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    const auto limit = query.limit();
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    std::string after;
    if (!query["cursor"].empty()) {
        auto words = read_cursor(query["cursor"]);
        if (!words || words->first != "people" || !is_utf8(words->second) ||
            words->second.find('\0') != std::string::npos) {
            co_return bad_query("cursor", "next_cursor of the page before");
        }
        after = std::move(words->second);
    }
    auto wanted = read_wanted(system->second, *audience, query, caller);
    if (auto* const reply = std::get_if<HttpReply>(&wanted)) co_return std::move(*reply);
    Directory directory{std::move(std::get<Directory::Wanted>(wanted))};
    auto listing = std::make_shared<Listing>(parts, caller.client, system->second,
                                             std::move(directory), after);
    const bool is_csv = call.header("accept").find("text/csv") != std::string_view::npos;
    std::string client = caller.client;
    const auto turn = co_await parts.turns.take(std::move(client));
    if (!turn) co_return busy();
    const auto most = is_csv ? people_a_piece : static_cast<std::size_t>(*limit);
    const auto more = co_await listing->read(most);
    if (!more && more.error().code == Errc::store_data) {
        if (caller.owner_bound) co_return no_such_owner();
        co_return bad_query("param", "values that the audience's query takes");
    }
    if (!more) co_return unavailable(more.error());
    if (is_csv) co_return csv_reply(audience->name, std::move(listing));
    json::array people;
    for (const auto& person : listing->people()) people.push_back(row_to_json(person));
    json::value next;
    if (more.value()) next = make_cursor("people", listing->after());
    const json::object page{{"people", std::move(people)}, {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

}  // namespace

void add_people_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.get("/v1/systems/{system}/audiences/{audience}/people", Scope::export_,
               [&parts](const HttpCall& call, const Caller& caller) {
                   return list_people(parts, call, caller);
               });
}

}  // namespace fanfare::api
