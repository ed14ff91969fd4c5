#include "producer/console/job_views.hpp"
#include "producer/console/pages.hpp"

#include "core/settings/text_rules.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <random>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::array<std::string_view, 4> outcomes{"failed", "refused", "expired", "unknown"};
constexpr std::int64_t ttl_max_min = 525'600;

/// Two posts of one form are one replay.
std::string fresh_key() {
    std::random_device random;
    return fmt::format("console-{:08x}{:08x}", random(), random());
}

bool is_ticked(const Visit& visit, std::string_view name, std::string_view value) {
    for (const auto& [each, found] : visit.form) {
        if (each == name && found == value) return true;
    }
    return false;
}

/// What stands against the form before the API is asked, which would take its own usual values
/// for what is not said; "" for nothing.
std::string complaint_about(const Visit& visit) {
    const auto ticked = [&visit](auto outcome) { return is_ticked(visit, "outcome", outcome); };
    if (std::none_of(outcomes.begin(), outcomes.end(), ticked)) return "Tick at least one outcome.";
    const auto typed = visit.field("ttl_min");
    const auto ttl = parse_whole(typed);
    if (typed.empty() || (ttl && *ttl > 0 && *ttl <= ttl_max_min)) return {};
    return fmt::format("A new life is a whole number of minutes, from 1 to {}.", ttl_max_min);
}

/// The order that the form's fields make, where nothing stands against them.
json::object read_order(const Visit& visit) {
    json::object order{{"jobs", json::array{visit.field("job")}}};
    json::array wanted;
    for (const auto outcome : outcomes) {
        if (is_ticked(visit, "outcome", outcome)) wanted.emplace_back(std::string{outcome});
    }
    order["outcomes"] = std::move(wanted);
    if (is_ticked(visit, "outcome", "unknown")) order["include_unknown"] = true;
    if (const auto channel = visit.field("channel"); !channel.empty()) order["channel"] = channel;
    if (const auto ttl = parse_whole(visit.field("ttl_min"))) order["ttl_s"] = *ttl * 60;
    return order;
}

View choice_view(const Visit& visit, bool is_first) {
    View choices{View::type::list};
    for (const auto outcome : outcomes) {
        View choice;
        choice.set("value", std::string{outcome});
        choice.set("is_doubt", View{outcome == "unknown"});
        const bool ticked = is_first ? outcome == "failed" : is_ticked(visit, "outcome", outcome);
        choice.set("is_chosen", View{ticked});
        choices << choice;
    }
    return choices;
}

View left_out_view(const json::object& sum) {
    View list{View::type::list};
    const auto* const found = sum.if_contains("left_out");
    if (found == nullptr || !found->is_object()) return list;
    for (const auto& member : found->get_object()) {
        const std::string name{member.key().data(), member.key().size()};
        const auto count = count_in(found->get_object(), name);
        if (count == 0) continue;
        View one;
        one.set("name", to_words(name));
        one.set("count", grouped(count));
        list << one;
    }
    return list;
}

/// What would become of them now, by channel.
View outlook_view(const json::object& told) {
    View list{View::type::list};
    const auto* const outlook = told.if_contains("if_served_now");
    if (outlook == nullptr || !outlook->is_object()) return list;
    const auto* const channels = outlook->get_object().if_contains("channels");
    if (channels == nullptr || !channels->is_object()) return list;
    for (const auto& member : channels->get_object()) {
        if (!member.value().is_object()) continue;
        const auto& found = member.value().get_object();
        View one;
        one.set("channel", std::string{member.key().data(), member.key().size()});
        one.set("messages", grouped(count_in(found, "messages")));
        one.set("people", grouped(count_in(found, "people")));
        one.set("left_out", left_out_view(found));
        put(one, "cost", text_in(found, "cost"));
        list << one;
    }
    return list;
}

View dry_run_view(const json::object& told) {
    View view;
    view.set("people", grouped(count_in(told, "people")));
    const auto twice = count_in(told, "may_be_told_twice");
    put(view, "twice", twice > 0 ? grouped(twice) : std::string{});
    view.set("is_nobody", View{count_in(told, "people") == 0});
    view.set("left_out", left_out_view(told));
    view.set("outlook", outlook_view(told));
    const auto lines = chosen_lines(told);
    view.set("lines", lines);
    view.set("has_lines", View{lines.is_non_empty_list()});
    return view;
}

Page form_page(const Visit& visit, bool is_first) {
    Page page{"replay.html", "Replay", "replays", {}};
    auto& view = page.view;
    put(view, "job", visit.field("job"));
    put(view, "short_job", visit.field("job").substr(0, 8));
    put(view, "ttl_min", visit.field("ttl_min"));
    put(view, "because", visit.field("because"));
    view.set("outcomes", choice_view(visit, is_first));
    view.set("channels", option_views(channel_words, visit.field("channel")));
    view.set("told", View{false});
    return page;
}

asio::awaitable<HttpReply> ask_for_order(const PageContext& context, const Visit& visit) {
    co_return context.show(visit, form_page(visit, true));
}

asio::awaitable<HttpReply> try_it(const PageContext& context, const Visit& visit, Notice notice) {
    auto order = read_order(visit);
    order["dry_run"] = true;
    const Ask ask{"POST", "/v1/replays", json::value(order)};
    const auto answer = co_await context.ask(visit.who, ask);
    auto page = form_page(visit, false);
    page.notice = std::move(notice);
    if (answer.is_good()) {
        page.view.set("told", dry_run_view(answer.object()));
        page.view.set("key", fresh_key());
    } else {
        page.notice = to_notice(answer);
    }
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> order(const PageContext& context, const Visit& visit) {
    if (auto complaint = complaint_about(visit); !complaint.empty()) {
        auto page = form_page(visit, false);
        page.notice = {std::move(complaint), true, 422};
        co_return context.show(visit, std::move(page));
    }
    if (visit.field("step") != "order") {
        Notice none;
        co_return co_await try_it(context, visit, std::move(none));
    }
    auto wanted = read_order(visit);
    wanted["because"] = visit.field("because");
    const Ask ask{"POST", "/v1/replays", json::value(wanted), visit.field("key")};
    const auto answer = co_await context.ask(visit.who, ask);
    if (answer.is_good()) {
        co_return redirect("/console/replays/" + text_in(answer.object(), "id"));
    }
    auto notice = to_notice(answer);
    co_return co_await try_it(context, visit, std::move(notice));
}

View replay_view(const json::object& replay) {
    View line;
    put_all(line, replay, {"id", "who", "because"});
    put_moment(line, "at", text_in(replay, "at"));
    put_moment(line, "finished_at", text_in(replay, "finished_at"));
    line.set("jobs", grouped(count_in(replay, "jobs")));
    line.set("people", grouped(count_in(replay, "people")));
    const auto held = count_in(replay, "held");
    put(line, "held", held > 0 ? grouped(held) : std::string{});
    return line;
}

asio::awaitable<HttpReply> list_replays(const PageContext& context, const Visit& visit) {
    const auto cursor = visit.field("cursor");
    std::string target{"/v1/replays?limit=50"};
    if (!cursor.empty()) target.append("&cursor=").append(percent_encoded(cursor));
    const Ask ask{"GET", std::move(target)};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"replays.html", "Replays", "replays", {}};
    View lines{View::type::list};
    for (const auto& replay : objects_in(answer.object(), "replays")) lines << replay_view(replay);
    page.view.set("lines", lines);
    page.view.set("has_lines", View{lines.is_non_empty_list()});
    const auto next = text_in(answer.object(), "next_cursor");
    put(page.view, "next_page",
        next.empty() ? std::string{} : "/console/replays?cursor=" + percent_encoded(next));
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> show_replay(const PageContext& context, const Visit& visit) {
    const Ask ask{"GET", "/v1/replays/" + percent_encoded(visit.call.param("id"))};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"replay_done.html", "Replay", "replays", {}};
    if (!answer.is_good()) {
        page.file = "refused.html";
        page.notice = to_notice(answer);
        co_return context.show(visit, std::move(page));
    }
    page.view = replay_view(answer.object());
    View jobs{View::type::list};
    for (const auto& pair : objects_in(answer.object(), "new_jobs")) {
        View one;
        one.set("job", text_in(pair, "job"));
        one.set("short_job", text_in(pair, "job").substr(0, 8));
        one.set("old", text_in(pair, "replay_of"));
        one.set("short_old", text_in(pair, "replay_of").substr(0, 8));
        one.set("people", grouped(count_in(pair, "people")));
        jobs << one;
    }
    page.view.set("new_jobs", jobs);
    page.view.set("has_new_jobs", View{jobs.is_non_empty_list()});
    co_return context.show(visit, std::move(page));
}

}  // namespace

void add_replay_pages(Pages& pages) {
    const auto& context = pages.context();
    const auto bound = [&context](auto serve) {
        return [&context, serve](const Visit& visit) { return serve(context, visit); };
    };
    pages.get("/console/replay", bound(ask_for_order));
    pages.post("/console/replay", bound(order));
    pages.get("/console/replays", bound(list_replays));
    pages.get("/console/replays/{id}", bound(show_replay));
}

}  // namespace fanfare::console
