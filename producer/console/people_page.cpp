#include "producer/console/pages.hpp"

#include <fmt/format.h>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

View fate_view(const json::object& fate) {
    View one;
    put_all(one, fate, {"channel", "why", "account", "provider_id", "job", "system", "kind"});
    one.set("short_job", text_in(fate, "job").substr(0, 8));
    one.set("outcome", to_words(text_in(fate, "outcome")));
    one.set("outcome_word", text_in(fate, "outcome"));
    put(one, "title", first_seen({text_in(fate, "title"), text_in(fate, "subject")}));
    one.set("is_replay", View{!text_in(fate, "replay_of").empty()});
    const auto attempts = count_in(fate, "attempts");
    put(one, "attempts", attempts > 0 ? grouped(attempts) : std::string{});
    put_moment(one, "updated", text_in(fate, "updated_at"));
    put_moment(one, "created", text_in(fate, "created_at"));
    return one;
}

View fate_views(const json::object& from, std::string_view name) {
    View list{View::type::list};
    for (const auto& fate : objects_in(from, name)) list << fate_view(fate);
    return list;
}

/// What of the lists of a system they left; where the visitor may not know, nothing.
asio::awaitable<View> left_lists(const PageContext& context, const Visit& visit) {
    View list{View::type::list};
    const auto system = visit.field("system");
    if (system.empty()) co_return list;
    const Ask ask{"GET", fmt::format("/v1/systems/{}/recipients/{}/opt-outs",
                                     percent_encoded(system), percent_encoded(visit.field("id")))};
    const auto answer = co_await context.ask(visit.who, ask);
    for (const auto& each : objects_in(answer.object(), "opt_outs")) {
        View one;
        put_all(one, each, {"channel", "list"});
        put_moment(one, "since", text_in(each, "since"));
        list << one;
    }
    co_return list;
}

asio::awaitable<HttpReply> show_history(const PageContext& context, const Visit& visit, Page page) {
    const auto id = visit.field("id");
    std::string target = fmt::format("/v1/people/{}/deliveries?limit=50", percent_encoded(id));
    std::string here = "/console/people?id=" + percent_encoded(id);
    for (const auto* const name : {"system", "cursor"}) {
        const auto value = visit.field(name);
        if (value.empty()) continue;
        target.append(fmt::format("&{}={}", name, percent_encoded(value)));
        if (std::string_view{name} == "system") {
            here.append("&system=").append(percent_encoded(value));
        }
    }
    const Ask ask{"GET", std::move(target)};
    const auto answer = co_await context.ask(visit.who, ask);
    auto& view = page.view;
    const auto fates = fate_views(answer.object(), "deliveries");
    view.set("fates", fates);
    view.set("has_fates", View{fates.is_non_empty_list()});
    const auto next = text_in(answer.object(), "next_cursor");
    put(view, "next_page",
        next.empty() ? std::string{} : here + "&cursor=" + percent_encoded(next));
    const auto lists = co_await left_lists(context, visit);
    view.set("left_lists", lists);
    view.set("has_left", View{lists.is_non_empty_list()});
    view.set("is_asked", View{answer.is_good()});
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> show_people(const PageContext& context, const Visit& visit) {
    Page page{"people.html", "People", "people", {}};
    put(page.view, "id", visit.field("id"));
    put(page.view, "system", visit.field("system"));
    page.view.set("is_asked", View{false});
    if (visit.field("id").empty()) co_return context.show(visit, std::move(page));
    co_return co_await show_history(context, visit, std::move(page));
}

/// One person in one job: why, or why not.
asio::awaitable<HttpReply> show_in_job(const PageContext& context, const Visit& visit) {
    const auto job = percent_encoded(visit.call.param("id"));
    const auto id = visit.field("recipient");
    if (id.empty()) co_return redirect("/console/jobs/" + job);
    const Ask ask{"GET", fmt::format("/v1/jobs/{}/recipients/{}", job, percent_encoded(id))};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"person_in_job.html", "One person in a job", "jobs", {}};
    auto& view = page.view;
    put(view, "id", id);
    put(view, "id_in_query", percent_encoded(id));
    view.set("job", job);
    view.set("short_job", job.substr(0, 8));
    view.set("is_planned", View{flag_in(answer.object(), "planned")});
    put(view, "why", text_in(answer.object(), "why"));
    view.set("fates", fate_views(answer.object(), "channels"));
    const auto chain = objects_in(answer.object(), "chain");
    view.set("has_chain", View{chain.size() > objects_in(answer.object(), "channels").size()});
    view.set("chain", fate_views(answer.object(), "chain"));
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

}  // namespace

void add_people_pages(Pages& pages) {
    const auto& context = pages.context();
    pages.get("/console/people",
              [&context](const Visit& visit) { return show_people(context, visit); });
    pages.get("/console/jobs/{id}/person",
              [&context](const Visit& visit) { return show_in_job(context, visit); });
}

}  // namespace fanfare::console
