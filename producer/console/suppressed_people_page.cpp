#include "producer/console/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::array<std::string_view, 6> standings{"suppressed",      "unsubscribed", "opted_out",
                                                    "invalid_address", "no_address",   "reachable"};
constexpr std::string_view parameter_prefix{"param."};

struct Chosen {
    const System* system = nullptr;
    const Audience* audience = nullptr;
};

bool may(const api::Identity& who, const std::string& system) {
    const auto& own = who.systems;
    return own.empty() || std::find(own.begin(), own.end(), system) != own.end();
}

/// "shows/followers" of the form.
Chosen read_choice(const Systems& systems, const Visit& visit) {
    const auto name = visit.field("of");
    const auto slash = std::min(name.find('/'), name.size());
    const auto system = systems.find(name.substr(0, slash));
    if (system == systems.end() || !may(visit.who, system->first)) return {};
    const auto& audiences = system->second.audiences;
    const auto audience = audiences.find(name.substr(std::min(slash + 1, name.size())));
    return {&system->second, audience == audiences.end() ? nullptr : &audience->second};
}

View audience_views(const Systems& systems, const Visit& visit) {
    View options{View::type::list};
    for (const auto& [name, system] : systems) {
        if (!may(visit.who, name)) continue;
        for (const auto& [audience, found] : system.audiences) {
            View option;
            const auto value = fmt::format("{}/{}", name, audience);
            option.set("value", value);
            option.set("is_chosen", View{visit.field("of") == value});
            options << option;
        }
    }
    return options;
}

View standing_views(const std::string& chosen) {
    View options{View::type::list};
    for (const auto standing : standings) {
        View option;
        option.set("value", std::string{standing});
        option.set("words", to_words(standing));
        option.set("is_chosen", View{standing == chosen});
        options << option;
    }
    return options;
}

/// The query of the API, as far as this page asks it; each begins with '&'.
std::string compose_query(const Visit& visit, const Audience& audience,
                          const std::string& standing) {
    auto query = standing.empty() ? std::string{} : fmt::format("&standing={}", standing);
    for (const auto& parameter : audience.query.parameters) {
        const auto name = fmt::format("{}{}", parameter_prefix, parameter);
        const auto value = visit.field(name);
        if (!value.empty()) query.append(fmt::format("&{}={}", name, percent_encoded(value)));
    }
    return query;
}

View people_view(const json::object& document) {
    View people{View::type::list};
    for (const auto& person : objects_in(document, "people")) {
        View one;
        one.set("id", text_in(person, "recipient"));
        one.set("id_in_query", percent_encoded(text_in(person, "recipient")));
        View contacts{View::type::list};
        for (const auto& contact : objects_in(person, "contacts")) {
            View each;
            put_all(each, contact, {"channel", "address"});
            each.set("standing", to_words(text_in(contact, "standing")));
            contacts << each;
        }
        one.set("contacts", contacts);
        people << one;
    }
    return people;
}

/// True where everything is there that the audience is asked with.
bool put_parameters(View& view, const Visit& visit, const Audience& audience) {
    View inputs{View::type::list};
    bool is_whole = true;
    for (const auto& parameter : audience.query.parameters) {
        View input;
        const auto name = fmt::format("{}{}", parameter_prefix, parameter);
        const auto value = visit.field(name);
        input.set("name", name);
        input.set("label", parameter);
        put(input, "value", value);
        const bool is_filled_in = audience.owner == parameter && !visit.who.owner.empty();
        const bool needed = audience.needs(parameter) && !is_filled_in;
        input.set("is_needed", View{needed});
        is_whole = is_whole && (!needed || !value.empty());
        inputs << input;
    }
    view.set("inputs", inputs);
    return is_whole;
}

asio::awaitable<HttpReply> show_suppressed_people(const PageContext& context,
                                                  const Systems& systems, const Visit& visit) {
    Page page{"suppressed_people.html", "Suppressions", "suppressions", {}};
    auto& view = page.view;
    view.set("sees_addresses", View{sees_addresses(visit.who)});
    const auto [system, audience] = read_choice(systems, visit);
    auto standing = visit.field("standing");
    if (std::find(standings.begin(), standings.end(), standing) == standings.end()) {
        standing = standings[0];
    }
    view.set("audiences", audience_views(systems, visit));
    view.set("standings", standing_views(standing));
    view.set("is_asked", View{false});
    view.set("inputs", View{View::type::list});
    if (audience == nullptr) co_return context.show(visit, std::move(page));
    if (!put_parameters(view, visit, *audience)) co_return context.show(visit, std::move(page));
    const auto query = compose_query(visit, *audience, standing);
    auto target =
        fmt::format("/v1/systems/{}/audiences/{}/people?limit=100{}", percent_encoded(system->name),
                    percent_encoded(audience->name), query);
    const auto cursor = visit.field("cursor");
    if (!cursor.empty()) target.append("&cursor=").append(percent_encoded(cursor));
    const Ask ask{"GET", std::move(target)};
    const auto answer = co_await context.ask(visit.who, ask);
    const auto people = people_view(answer.object());
    view.set("people", people);
    view.set("has_people", View{people.is_non_empty_list()});
    view.set("is_asked", View{answer.is_good()});
    const auto next = text_in(answer.object(), "next_cursor");
    put(view, "next_page",
        next.empty()
            ? std::string{}
            : fmt::format("/console/suppressions/people?of={}&cursor={}{}",
                          percent_encoded(visit.field("of")), percent_encoded(next), query));
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

}  // namespace

void add_suppressed_people_page(Pages& pages, const Systems& systems) {
    const auto& context = pages.context();
    pages.get("/console/suppressions/people", [&context, &systems](const Visit& visit) {
        return show_suppressed_people(context, systems, visit);
    });
}

}  // namespace fanfare::console
