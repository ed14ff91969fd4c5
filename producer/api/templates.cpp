#include "producer/api/templates.hpp"

#include "core/audience/source.hpp"
#include "core/settings/text_rules.hpp"
#include "producer/api/own_templates.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

using Own = std::optional<ledger::OwnTemplates>;

/// What a call is about.
struct Place {
    const System& system;
    const Kind& kind;
    ledger::TemplatesKey key;
};

std::variant<Place, HttpReply> read_place(const ApiContext& parts, const HttpCall& call,
                                          const Caller& caller) {
    const auto name = call.param("system");
    if (auto denial = denied(caller, name)) return std::move(*denial);
    const auto system = parts.systems.find(name);
    const auto* const kind =
        system == parts.systems.end() ? nullptr : system->second.find_kind(call.param("kind"));
    if (kind == nullptr) return nothing_here("kind of notification");
    return Place{system->second, *kind, {system->first, kind->name, caller.owner}};
}

json::object to_json(const OwnParts& parts) {
    json::object texts;
    for (const auto& [name, text] : parts) texts[name] = text;
    return texts;
}

/// One kind as a list shows it.
json::object to_line(const System& system, const Kind& kind, const ledger::OwnTemplates* own) {
    json::object line{{"system", system.name}, {"kind", kind.name}};
    line["version"] = own == nullptr ? json::value{} : json::value(own->version);
    line["saved_by"] = text_or_null(own == nullptr ? "" : own->saved_by);
    line["saved_at"] = text_or_null(own == nullptr ? "" : own->saved_at);
    return line;
}

/// One kind with all that is said of it.
json::object to_document(const ApiContext& parts, const Place& place, const Own& own) {
    std::set<std::string> names;
    for (const auto channel : channels) {
        const auto used = parts.templates.variables(place.kind.templates, channel);
        names.insert(used.begin(), used.end());
    }
    json::array variables;
    for (const auto& name : names) variables.push_back(json::value(name));
    const auto shipped = parts.shipped.find(place.kind.templates);
    auto document = to_line(place.system, place.kind, own ? &*own : nullptr);
    document["parts"] = to_json(own ? own->parts : OwnParts{});
    document["defaults"] = to_json(shipped == parts.shipped.end() ? OwnParts{} : shipped->second);
    document["variables"] = std::move(variables);
    return document;
}

asio::awaitable<HttpReply> list_templates(const ApiContext& parts, const HttpCall& call,
                                          const Caller& caller) {
    constexpr std::array<std::string_view, 2> known{"system", "kind"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    auto look = [&caller](postgres::Connection& connection) {
        return ledger::list_templates(connection, caller.owner);
    };
    std::string doing{"list templates"};
    const auto found = co_await parts.reading.run(std::move(doing), look);
    if (!found) co_return unavailable(found.error());
    json::array lines;
    for (const auto& [name, system] : parts.systems) {
        if (!caller.may(name) || (!query["system"].empty() && query["system"] != name)) continue;
        for (const auto& [kind_name, kind] : system.kinds) {
            if (!query["kind"].empty() && query["kind"] != kind_name) continue;
            const ledger::OwnTemplates* own = nullptr;
            for (const auto& each : found.value()) {
                if (each.key.system == name && each.key.kind == kind_name) own = &each;
            }
            lines.push_back(to_line(system, kind, own));
        }
    }
    const json::object document{{"templates", std::move(lines)}};
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> show_templates(const ApiContext& parts, const HttpCall& call,
                                          const Caller& caller) {
    constexpr std::array<std::string_view, 1> known{"version"};
    const auto asked = read_place(parts, call, caller);
    if (const auto* const reply = std::get_if<HttpReply>(&asked)) co_return *reply;
    const auto& place = std::get<Place>(asked);
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto wanted = std::get<QueryString>(read)["version"];
    const auto version = wanted.empty() ? std::optional<std::int64_t>{0} : parse_whole(wanted);
    if (!version || *version < (wanted.empty() ? 0 : 1) ||
        *version > std::numeric_limits<std::int32_t>::max()) {
        co_return bad_query("version", "a whole number from 1 on");
    }
    const auto number = static_cast<std::int32_t>(*version);
    auto look = [&](postgres::Connection& connection) {
        return number == 0 ? ledger::current_templates(connection, place.key)
                           : ledger::find_templates(connection, place.key, number);
    };
    std::string doing{"look up templates"};
    const auto found = co_await parts.reading.run(std::move(doing), look);
    if (!found) co_return unavailable(found.error());
    if (number > 0 && !found.value()) co_return nothing_here("version");
    const auto document = to_document(parts, place, found.value());
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> save(const ApiContext& parts, const HttpCall& call,
                                const Caller& caller) {
    const auto asked = read_place(parts, call, caller);
    if (const auto* const reply = std::get_if<HttpReply>(&asked)) co_return *reply;
    const auto& place = std::get<Place>(asked);
    const Fields fields{call.body, {"parts"}};
    if (const auto& fault = fields.fault()) co_return *fault;
    const auto read = read_parts(fields);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& texts = std::get<OwnParts>(read);
    auto check = [&](postgres::Connection&) {
        const postgres::Limits limits{.statement_timeout = place.system.statement_timeout,
                                      .read_only = true};
        postgres::Connection source{database_for(parts.settings, place.system), limits};
        const auto columns = contact_columns(source, place.system);
        const auto& folder = place.kind.templates;
        Problems problems;
        const auto own = parts.templates.with_own(folder, texts, "", problems);
        for (const auto channel : channels) {
            const auto known = known_variables(parts.templates, place.kind, channel,
                                               columns[static_cast<std::size_t>(channel)]);
            const auto found = own.review(folder, channel, known);
            problems.insert(problems.end(), found.begin(), found.end());
        }
        return problems;
    };
    std::string client = caller.client;
    auto turn = co_await parts.turns.take(std::move(client));
    if (!turn) co_return busy();
    std::string checking{"check templates"};
    const auto problems = co_await parts.surveying.run(std::move(checking), check);
    turn.reset();
    if (!problems) co_return unavailable(problems.error());
    if (!problems.value().empty()) co_return refusal_of_parts(problems.value());
    auto write = [&](postgres::Connection& connection) {
        return ledger::save_templates(connection, place.key, texts, caller.client);
    };
    std::string saving{"save templates"};
    const auto saved = co_await parts.ledger.run(std::move(saving), write);
    if (!saved) co_return unavailable(saved.error());
    const Own own{saved.value().templates};
    const auto document = to_document(parts, place, own);
    co_return reply_with(saved.value().was_there ? 200 : 201, document);
}

asio::awaitable<HttpReply> remove(const ApiContext& parts, const HttpCall& call,
                                  const Caller& caller) {
    const auto asked = read_place(parts, call, caller);
    if (const auto* const reply = std::get_if<HttpReply>(&asked)) co_return *reply;
    const auto& place = std::get<Place>(asked);
    auto write = [&](postgres::Connection& connection) {
        return ledger::delete_templates(connection, place.key, caller.client);
    };
    std::string doing{"delete templates"};
    const auto done = co_await parts.ledger.run(std::move(doing), write);
    if (!done) co_return unavailable(done.error());
    if (!done.value()) {
        co_return refusal(
            409, "defaults_stay",
            "You have no texts of your own for this kind, and the shipped ones stay.");
    }
    const Own none;
    const auto document = to_document(parts, place, none);
    co_return reply_with(200, document);
}

}  // namespace

void add_template_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    const std::string one{"/v1/templates/{system}/{kind}"};
    routes.get("/v1/templates", Scope::read, bound(list_templates));
    routes.get(one, Scope::read, bound(show_templates));
    routes.post(one, Scope::templates, bound(save), Job::bytes_max, "PUT");
    routes.post(one, Scope::templates, bound(remove), Job::bytes_max, "DELETE");
}

}  // namespace fanfare::api
