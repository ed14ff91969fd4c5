#include "core/web/text.hpp"
#include "producer/console/pages.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;

/// Where to go on from signing in: a page of ours, whatever a link says.
std::string safe_return_path(const std::string& wanted) {
    const bool is_plain = std::all_of(wanted.begin(), wanted.end(),
                                      [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
    return wanted.starts_with("/console/") && is_plain ? wanted : "/console/jobs";
}

/// Only over TLS, where the browser uses it: here, or at a proxy before us.
std::string compose_cookie(const HttpCall& call, const ServerSettings& settings,
                           std::string_view sealed, std::chrono::seconds life) {
    const bool is_safe = !settings.certificate.empty() ||
                         same_word(trimmed(call.header("x-forwarded-proto")), "https");
    return fmt::format("fanfare_console={}; Path=/console; Max-Age={}; HttpOnly; SameSite=Strict{}",
                       sealed, life.count(), is_safe ? "; Secure" : "");
}

HttpReply sign_in_page(int status, const std::string& next, const std::string& fault) {
    View view;
    put(view, "next", safe_return_path(next));
    put(view, "fault", fault);
    return plain_page(status, "sign_in.html", "Sign in", std::move(view));
}

asio::awaitable<HttpReply> ask_for_token(const HttpCall& call) {
    const auto form = read_form(call);
    co_return sign_in_page(200, form ? std::string{field(*form, "next")} : std::string{}, "");
}

asio::awaitable<HttpReply> sign_in(SignInParts parts, const HttpCall& call) {
    const auto form = read_form(call);
    if (!form || !is_of_this_site(call)) {
        co_return sign_in_page(400, "", "The form did not arrive as it was sent.");
    }
    const std::string next{field(*form, "next")};
    auto found = parts.clients.identify(call, field(*form, "token"));
    if (const auto* const refused = std::get_if<HttpReply>(&found)) {
        auto reply = sign_in_page(refused->status, next, "No client of the API has this token.");
        reply.hold = refused->hold;
        co_return reply;
    }
    auto& who = std::get<api::Identity>(found);
    const auto session = parts.sessions.begin(std::move(who.client), std::move(who.mark));
    auto reply = redirect(safe_return_path(next));
    reply.headers.emplace_back(
        "Set-Cookie",
        compose_cookie(call, parts.settings, parts.sessions.seal(session), Sessions::life));
    co_return reply;
}

asio::awaitable<HttpReply> sign_out(SignInParts parts, const Visit& visit) {
    auto reply = redirect("/console/sign-in");
    reply.headers.emplace_back(
        "Set-Cookie", compose_cookie(visit.call, parts.settings, "", std::chrono::seconds{0}));
    co_return reply;
}

}  // namespace

void add_sign_in_pages(Router& router, Pages& pages, SignInParts parts) {
    RouteOptions options;
    options.counted_as = counted_as;
    router.add("GET", "/console/sign-in", ask_for_token, options);
    options.body_max = Pages::form_bytes_max;
    options.content_types = {"application/x-www-form-urlencoded"};
    router.add(
        "POST", "/console/sign-in", [parts](const HttpCall& call) { return sign_in(parts, call); },
        std::move(options));
    pages.post("/console/sign-out", [parts](const Visit& visit) { return sign_out(parts, visit); });
}

}  // namespace fanfare::console
