#include "producer/console/pages.hpp"

#include "core/settings/text_rules.hpp"

#include <fmt/format.h>

#include <cmath>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

std::string rate_text(double rate) {
    if (rate <= 0) return {};
    return rate == std::floor(rate) ? grouped(std::llround(rate)) : fmt::format("{:.2f}", rate);
}

View card_view(const json::object& account, const std::vector<json::object>& pauses) {
    View card;
    put_all(card, account,
            {"name", "channel", "type", "health", "breaker", "last_error", "rate_set_by"});
    const auto rate = number_in(account, "rate");
    const auto used = number_in(account, "used");
    put(card, "rate", rate_text(rate));
    card.set("used", fmt::format("{:.1f}", used));
    put(card, "used_percent", rate > 0 ? fmt::format("{:.0f}", 100 * used / rate) : std::string{});
    card.set("used_plain", fmt::format("{:.1f}", std::min(used, rate)));
    card.set("rate_plain", fmt::format("{:.1f}", rate));
    put_moment(card, "blocked_until", text_in(account, "blocked_until"));
    put_moment(card, "last_error_at", text_in(account, "last_error_at"));
    put_moment(card, "rate_set_at", text_in(account, "rate_set_at"));
    card.set("pause", View{false});
    for (const auto& line : pauses) {
        if (text_in(line, "account") != text_in(account, "name")) continue;
        View pause;
        put_all(pause, line, {"who", "because"});
        put_moment(pause, "until", text_in(line, "until"));
        card.set("pause", pause);
    }
    return card;
}

asio::awaitable<HttpReply> show_accounts(const PageContext& context, const Visit& visit,
                                         Notice notice) {
    const Ask ask{"GET", "/v1/accounts"};
    const auto answer = co_await context.ask(visit.who, ask);
    const Ask ask_pauses{"GET", "/v1/pauses"};
    const auto pauses = co_await context.ask(visit.who, ask_pauses);
    Page page{"accounts.html", "Accounts", "accounts", {}, std::move(notice)};
    const auto lines = objects_in(pauses.object(), "pauses");
    View cards{View::type::list};
    for (const auto& account : objects_in(answer.object(), "accounts")) {
        cards << card_view(account, lines);
    }
    page.view.set("cards", cards);
    page.view.set("has_cards", View{cards.is_non_empty_list()});
    if (!answer.is_good()) {
        page.file = "refused.html";
        page.notice = to_notice(answer);
    }
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> show_accounts_done(const PageContext& context, const Visit& visit) {
    Notice notice;
    if (visit.field("done") == "true") notice.text = "Done. Workers heed it within a second.";
    co_return co_await show_accounts(context, visit, std::move(notice));
}

asio::awaitable<HttpReply> act_on_account(const PageContext& context, const Visit& visit, Ask ask) {
    const auto answer = co_await context.ask(visit.who, ask);
    if (answer.is_good()) co_return redirect("/console/accounts?done=true");
    auto notice = to_notice(answer);
    co_return co_await show_accounts(context, visit, std::move(notice));
}

std::string rate_target(const Visit& visit) {
    return fmt::format("/v1/accounts/{}/rate", percent_encoded(visit.call.param("name")));
}

asio::awaitable<HttpReply> set_rate(const PageContext& context, const Visit& visit) {
    const auto rate = parse_whole(visit.field("per_second"));
    const json::object body{{"per_second", rate ? json::value(*rate) : json::value(nullptr)}};
    return act_on_account(context, visit, {"PUT", rate_target(visit), json::value(body)});
}

asio::awaitable<HttpReply> clear_rate(const PageContext& context, const Visit& visit) {
    return act_on_account(context, visit, {"DELETE", rate_target(visit)});
}

asio::awaitable<HttpReply> pause_account(const PageContext& context, const Visit& visit) {
    const json::object body{{"account", std::string{visit.call.param("name")}},
                            {"because", visit.field("because")}};
    return act_on_account(context, visit, {"POST", "/v1/pauses", json::value(body)});
}

asio::awaitable<HttpReply> resume_account(const PageContext& context, const Visit& visit) {
    return act_on_account(
        context, visit,
        {"DELETE", "/v1/pauses?account=" + percent_encoded(visit.call.param("name"))});
}

}  // namespace

void add_account_pages(Pages& pages) {
    const auto& context = pages.context();
    const auto bound = [&context](auto serve) {
        return [&context, serve](const Visit& visit) { return serve(context, visit); };
    };
    pages.get("/console/accounts", bound(show_accounts_done));
    pages.post("/console/accounts/{name}/rate", bound(set_rate));
    pages.post("/console/accounts/{name}/rate/clear", bound(clear_rate));
    pages.post("/console/accounts/{name}/pause", bound(pause_account));
    pages.post("/console/accounts/{name}/resume", bound(resume_account));
}

}  // namespace fanfare::console
