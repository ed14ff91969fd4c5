#include "producer/console/pages.hpp"

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t form_max = 6 * Job::bytes_max;  // A payload as a form writes it.

View letter_view(const json::object& letter) {
    View line;
    put_all(line, letter, {"letter", "key", "from", "reason", "message", "fate", "fate_by"});
    line.set("short_letter", text_in(letter, "letter").substr(0, 10));
    line.set("bytes", grouped(count_in(letter, "bytes")));
    put_moment(line, "at", text_in(letter, "at"));
    put_moment(line, "fate_at", text_in(letter, "fate_at"));
    return line;
}

asio::awaitable<HttpReply> list_letters(const PageContext& context, const Visit& visit) {
    const bool all = visit.field("all") == "true";
    std::string target{"/v1/dead-letters?limit=50"};
    if (all) target.append("&all=true");
    const auto cursor = visit.field("cursor");
    if (!cursor.empty()) target.append("&cursor=").append(percent_encoded(cursor));
    const Ask ask{"GET", std::move(target)};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"letters.html", "Dead letters", "dead-letters", {}};
    View lines{View::type::list};
    for (const auto& letter : objects_in(answer.object(), "dead_letters")) {
        lines << letter_view(letter);
    }
    page.view.set("lines", lines);
    page.view.set("has_lines", View{lines.is_non_empty_list()});
    page.view.set("all", View{all});
    const auto next = text_in(answer.object(), "next_cursor");
    put(page.view, "next_page",
        next.empty() ? std::string{}
                     : std::string{"/console/dead-letters?"} + (all ? "all=true&" : "") +
                           "cursor=" + percent_encoded(next));
    if (visit.field("done") == "requeued") page.notice.text = "The letter is published once more.";
    if (visit.field("done") == "dropped") page.notice.text = "The letter is dropped.";
    if (!answer.is_good()) {
        page.file = "refused.html";
        page.notice = to_notice(answer);
    }
    co_return context.show(visit, std::move(page));
}

std::string letter_target(const Visit& visit) {
    return "/v1/dead-letters/" + percent_encoded(visit.call.param("letter"));
}

asio::awaitable<HttpReply> show_letter_with(const PageContext& context, const Visit& visit,
                                            Notice notice) {
    const Ask ask{"GET", letter_target(visit)};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"letter.html", "Dead letter", "dead-letters", {}, std::move(notice)};
    if (!answer.is_good()) {
        page.file = "refused.html";
        page.notice = to_notice(answer);
        co_return context.show(visit, std::move(page));
    }
    page.view = letter_view(answer.object());
    put_all(page.view, answer.object(), {"payload", "payload_base64"});
    page.view.set("is_cut", View{!flag_in(answer.object(), "payload_is_whole")});
    page.view.set("is_open", View{text_in(answer.object(), "fate").empty()});
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> show_letter(const PageContext& context, const Visit& visit) {
    Notice none;
    co_return co_await show_letter_with(context, visit, std::move(none));
}

asio::awaitable<HttpReply> act_on_letter(const PageContext& context, const Visit& visit, Ask ask,
                                         std::string word) {
    const auto answer = co_await context.ask(visit.who, ask);
    if (answer.is_good()) co_return redirect("/console/dead-letters?done=" + word);
    auto notice = to_notice(answer);
    co_return co_await show_letter_with(context, visit, std::move(notice));
}

/// A text area gives lines back with CR LF; JSON does not mind, whoever compares does.
std::string plain_lines(std::string text) {
    std::erase(text, '\r');
    return text;
}

asio::awaitable<HttpReply> requeue(const PageContext& context, const Visit& visit) {
    Ask ask{"POST", letter_target(visit) + "/requeue"};
    if (visit.field("is_mended") == "true") {
        const json::object body{{"payload", plain_lines(visit.field("payload"))}};
        ask.body = json::value(body);
    }
    return act_on_letter(context, visit, std::move(ask), "requeued");
}

asio::awaitable<HttpReply> drop(const PageContext& context, const Visit& visit) {
    return act_on_letter(context, visit, {"POST", letter_target(visit) + "/drop"}, "dropped");
}

}  // namespace

void add_letter_pages(Pages& pages) {
    const auto& context = pages.context();
    const auto bound = [&context](auto serve) {
        return [&context, serve](const Visit& visit) { return serve(context, visit); };
    };
    pages.get("/console/dead-letters", bound(list_letters));
    pages.get("/console/dead-letters/{letter}", bound(show_letter));
    pages.post("/console/dead-letters/{letter}/requeue", bound(requeue), form_max);
    pages.post("/console/dead-letters/{letter}/drop", bound(drop));
}

}  // namespace fanfare::console
