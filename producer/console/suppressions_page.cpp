#include "producer/console/pages.hpp"

#include <fmt/format.h>

#include <array>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::array<std::string_view, 2> asked_for{"search", "channel"};

/// What the visitor asks for, each beginning with '&': for the API, and for the next page.
std::string compose_suppressions_query(const Visit& visit) {
    std::string query;
    for (const auto name : asked_for) {
        const auto value = visit.field(name);
        if (!value.empty()) query.append(fmt::format("&{}={}", name, percent_encoded(value)));
    }
    return query;
}

View channel_views(const std::string& chosen) {
    View options{View::type::list};
    for (const auto channel : channels) {
        View option;
        option.set("value", std::string{to_string(channel)});
        option.set("is_chosen", View{to_string(channel) == chosen});
        options << option;
    }
    return options;
}

View address_views(const json::object& document) {
    View lines{View::type::list};
    for (const auto& each : objects_in(document, "suppressions")) {
        View line;
        put_all(line, each, {"channel", "address", "source"});
        line.set("reason", to_words(text_in(each, "reason")));
        put_moment(line, "since", text_in(each, "since"));
        lines << line;
    }
    return lines;
}

asio::awaitable<HttpReply> show_suppressions(const PageContext& context, const Visit& visit) {
    // To whom not all systems are open, the API tells only of people whom they may see.
    if (!sees_addresses(visit.who)) co_return redirect("/console/suppressions/people");
    const auto query = compose_suppressions_query(visit);
    auto target = "/v1/suppressions?limit=50" + query;
    const auto cursor = visit.field("cursor");
    if (!cursor.empty()) target.append("&cursor=").append(percent_encoded(cursor));
    const Ask ask{"GET", std::move(target)};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"suppressions.html", "Suppressions", "suppressions", {}};
    auto& view = page.view;
    put(view, "search", visit.field("search"));
    view.set("channels", channel_views(visit.field("channel")));
    view.set("is_filtered", View{!query.empty()});
    view.set("is_asked", View{answer.is_good()});
    const auto lines = address_views(answer.object());
    view.set("lines", lines);
    view.set("has_lines", View{lines.is_non_empty_list()});
    const auto next = text_in(answer.object(), "next_cursor");
    const auto onward = "/console/suppressions?cursor=" + percent_encoded(next) + query;
    put(view, "next_page", next.empty() ? std::string{} : onward);
    const auto first = query.empty() ? query : "?" + query.substr(1);
    put(view, "first_page", cursor.empty() ? std::string{} : "/console/suppressions" + first);
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

}  // namespace

bool sees_addresses(const api::Identity& who) { return who.owner.empty() && who.systems.empty(); }

void add_suppression_pages(Pages& pages, const Systems& systems) {
    const auto& context = pages.context();
    pages.get("/console/suppressions",
              [&context](const Visit& visit) { return show_suppressions(context, visit); });
    add_suppressed_people_page(pages, systems);
}

}  // namespace fanfare::console
