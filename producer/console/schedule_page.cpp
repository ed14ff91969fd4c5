#include "producer/console/pages.hpp"

#include <fmt/format.h>

#include <array>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::array<std::string_view, 5> notification_states{"scheduled", "publishing",
                                                              "published", "expired", "cancelled"};
constexpr std::array<std::string_view, 4> schedule_filters{"system", "kind", "subject", "state"};

View notification_view(const json::object& notification) {
    View line;
    put_all(line, notification,
            {"id", "system", "kind", "subject", "state", "origin", "source", "cancelled_by",
             "changed_by"});
    const auto* const data = notification.if_contains("data");
    const auto title =
        data != nullptr && data->is_object() ? text_in(data->get_object(), "title") : std::string{};
    line.set("title",
             first_seen({title, text_in(notification, "subject"), text_in(notification, "kind")}));
    const auto due = text_in(notification, "due_at");
    put_moment(line, "due", due);
    put(line, "due_input", due.substr(0, 16));
    put_moment(line, "occurrence", text_in(notification, "occurrence"));
    put_moment(line, "expires", text_in(notification, "expires_at"));
    put_moment(line, "updated", text_in(notification, "updated_at"));
    const auto state = text_in(notification, "state");
    line.set("is_open", View{state == "scheduled"});
    line.set("is_told", View{state == "published" || state == "publishing"});
    return line;
}

/// Without a word on it, the page is about what is still to come.
std::string read_state(const Visit& visit) {
    for (const auto& [name, value] : visit.form) {
        if (name == "state") return value;
    }
    return "scheduled";
}

asio::awaitable<HttpReply> show_schedule(const PageContext& context, const Visit& visit,
                                         Notice notice) {
    const auto state = read_state(visit);
    std::string query;
    std::string target = "/v1/notifications?limit=50";
    for (const auto name : schedule_filters) {
        const auto value = name == "state" ? state : visit.field(name);
        const auto field = fmt::format("&{}={}", name, percent_encoded(value));
        query.append(field);
        if (!value.empty()) target.append(field);
    }
    const auto cursor = visit.field("cursor");
    if (!cursor.empty()) target.append("&cursor=").append(percent_encoded(cursor));
    const Ask ask{"GET", std::move(target)};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"schedule.html", "Schedule", "schedule", {}, std::move(notice)};
    auto& view = page.view;
    for (const auto name : {"system", "kind", "subject"}) put(view, name, visit.field(name));
    view.set("states", option_views(notification_states, state));
    View lines{View::type::list};
    for (const auto& each : objects_in(answer.object(), "notifications"))
        lines << notification_view(each);
    view.set("lines", lines);
    view.set("has_lines", View{lines.is_non_empty_list()});
    const auto next = text_in(answer.object(), "next_cursor");
    put(view, "next_page",
        next.empty() ? std::string{} : "/console/schedule?cursor=" + percent_encoded(next) + query);
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> show_schedule_done(const PageContext& context, const Visit& visit) {
    Notice notice;
    const auto done = visit.field("done");
    if (done == "cancelled") notice.text = "That moment is cancelled for good.";
    if (done == "due") notice.text = "It is due now.";
    if (done == "moved") notice.text = "It is moved.";
    co_return co_await show_schedule(context, visit, std::move(notice));
}

std::string notification_target(const Visit& visit) {
    return "/v1/notifications/" + percent_encoded(visit.call.param("id"));
}

asio::awaitable<HttpReply> act_on_notification(const PageContext& context, const Visit& visit,
                                               Ask ask, std::string word) {
    const auto answer = co_await context.ask(visit.who, ask);
    if (answer.is_good()) co_return redirect("/console/schedule?done=" + word);
    auto notice = to_notice(answer);
    co_return co_await show_schedule(context, visit, std::move(notice));
}

asio::awaitable<HttpReply> cancel_notification(const PageContext& context, const Visit& visit) {
    return act_on_notification(context, visit, {"POST", notification_target(visit) + "/cancel"},
                               "cancelled");
}

asio::awaitable<HttpReply> send_now(const PageContext& context, const Visit& visit) {
    return act_on_notification(context, visit, {"POST", notification_target(visit) + "/send-now"},
                               "due");
}

/// The form's moment is in UTC, as the page says.
asio::awaitable<HttpReply> move(const PageContext& context, const Visit& visit) {
    const json::object body{{"due_at", visit.field("due_at") + "Z"}};
    return act_on_notification(context, visit,
                               {"PATCH", notification_target(visit), json::value(body)}, "moved");
}

}  // namespace

void add_schedule_pages(Pages& pages) {
    const auto& context = pages.context();
    const auto bound = [&context](auto serve) {
        return [&context, serve](const Visit& visit) { return serve(context, visit); };
    };
    pages.get("/console/schedule", bound(show_schedule_done));
    pages.post("/console/schedule/{id}/cancel", bound(cancel_notification));
    pages.post("/console/schedule/{id}/send-now", bound(send_now));
    pages.post("/console/schedule/{id}/move", bound(move));
}

}  // namespace fanfare::console
