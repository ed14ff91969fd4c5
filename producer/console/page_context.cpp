#include "producer/console/page_context.hpp"

#include "core/domain/utf8.hpp"
#include "core/rendering/utf8.hpp"
#include "producer/api/api_server.hpp"
#include "producer/console/assets.hpp"

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <variant>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::string_view policy{
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"};

/// One entry of the navigation.
struct Place {
    std::string_view name;
    std::string_view title;
    Scope needs;
};
constexpr std::array<Place, 8> places{{{"jobs", "Jobs", Scope::read},
                                       {"schedule", "Schedule", Scope::read},
                                       {"people", "People", Scope::read},
                                       {"templates", "Templates", Scope::read},
                                       {"accounts", "Accounts", Scope::read},
                                       {"dead-letters", "Dead letters", Scope::operate},
                                       {"suppressions", "Suppressions", Scope::export_},
                                       {"replays", "Replays", Scope::read}}};

HttpCall to_call(const api::Identity& who, const Ask& question) {
    HttpCall call;
    call.method = question.method;
    call.target = question.target;
    const auto mark = call.target.find('?');
    call.path = call.target.substr(0, mark);
    if (mark != std::string::npos) call.query = call.target.substr(mark + 1);
    call.headers.emplace_back(api::ApiServer::inner_client, who.client);
    if (!question.key.empty()) call.headers.emplace_back("Idempotency-Key", question.key);
    if (!question.body.is_null()) {
        call.headers.emplace_back("Content-Type", "application/json");
        call.body = json::serialize(question.body);
    }
    return call;
}

/// What a visitor wrote may be no text; a page that shows it is.
std::string as_utf8(std::string text) {
    if (is_utf8(text)) return text;
    std::string mended;
    for (std::size_t at = 0; at < text.size();) {
        const auto begin = at;
        const bool is_text = next_character(text, at) != not_utf8;
        mended.append(is_text ? text.substr(begin, at - begin) : std::string{"\xEF\xBF\xBD"});
    }
    return mended;
}

View navigation(const api::Identity& who, std::string_view here) {
    View entries{View::type::list};
    for (const auto& place : places) {
        if (!who.has(place.needs)) continue;
        View entry;
        entry.set("name", std::string{place.name});
        entry.set("title", std::string{place.title});
        entry.set("is_here", View{place.name == here});
        entries << entry;
    }
    return entries;
}

std::string framed(const std::string& file, const std::string& title, View view) {
    view.set("page_title", title);
    view.set("assets", assets_version());
    view.set("content", kainjow::mustache::partial{[&file] { return asset(file); }});
    return rendered("frame.html", view);
}

}  // namespace

const json::object& Answer::object() const {
    static const json::object none;
    return document.is_object() ? document.get_object() : none;
}

std::string Answer::complaint() const {
    auto detail = text_in(object(), "detail");
    if (detail.empty()) detail = fmt::format("This was answered with {}.", status);
    return detail;
}

Answer to_answer(const HttpReply& reply) {
    boost::system::error_code fault;
    auto document = json::parse(reply.body, fault);
    if (fault) document = nullptr;
    return {reply.status, std::move(document)};
}

Notice to_notice(const Answer& answer) { return {answer.complaint(), true, answer.status}; }

asio::awaitable<Answer> PageContext::ask(const api::Identity& who, const Ask& question) const {
    auto call = to_call(who, question);
    auto match = api_.find(call.method, call.path);
    if (match.route == nullptr) co_return Answer{404, nullptr};
    call.params = std::move(match.params);
    auto handler = match.route->handler;
    if (match.route->options.gate) {
        auto opened = co_await match.route->options.gate(call);
        if (auto* const reply = std::get_if<HttpReply>(&opened)) co_return to_answer(*reply);
        handler = std::move(std::get<HttpHandler>(opened));
    }
    const auto reply = co_await handler(call);
    co_return to_answer(reply);
}

HttpReply PageContext::show(const Visit& visit, Page page) const {
    auto& view = page.view;
    view.set("signed_in", View{true});
    view.set("client", visit.who.client);
    view.set("form_word", visit.form_word);
    view.set("places", navigation(visit.who, page.place));
    for (const auto scope : {Scope::cancel, Scope::operate, Scope::replay, Scope::schedule}) {
        view.set(fmt::format("may_{}", to_string(scope)), View{visit.who.has(scope)});
    }
    put(view, "notice", page.notice.is_fault ? "" : page.notice.text);
    put(view, "fault", page.notice.is_fault ? page.notice.text : "");
    return html_reply(page.notice.status, framed(page.file, page.title, std::move(view)));
}

HttpReply plain_page(int status, const std::string& file, const std::string& title, View view) {
    return html_reply(status, framed(file, title, std::move(view)));
}

std::string rendered(std::string_view file, const View& view) {
    kainjow::mustache::mustache page{asset(file)};
    return page.render(view);
}

HttpReply html_reply(int status, std::string body) {
    HttpReply reply;
    reply.status = status;
    reply.content_type = "text/html; charset=utf-8";
    reply.headers = {{"Content-Security-Policy", std::string{policy}},
                     {"Cache-Control", "no-store"},
                     {"Referrer-Policy", "no-referrer"},
                     {"Cross-Origin-Opener-Policy", "same-origin"},
                     {"X-Frame-Options", "DENY"},
                     {"X-Robots-Tag", "noindex"}};
    reply.body = as_utf8(std::move(body));
    return reply;
}

HttpReply redirect(const std::string& to) {
    auto reply = html_reply(303, "");
    reply.headers.emplace_back("Location", to);
    return reply;
}

}  // namespace fanfare::console
