#include "producer/console/pages.hpp"

#include "core/crypto/digest.hpp"
#include "core/web/text.hpp"

namespace fanfare::console {
namespace {

namespace asio = boost::asio;

using Opened = std::variant<HttpHandler, HttpReply>;
constexpr std::string_view cookie_name{"fanfare_console"};
constexpr std::string_view form_type{"application/x-www-form-urlencoded"};

/// What a route does for whom it does not know.
enum class Stranger : unsigned char { is_asked_to_sign_in, is_refused };

struct Entry {
    std::shared_ptr<const Pages::Parts> parts;
    Shown shown;
    Stranger stranger;
};

HttpReply signed_out(const HttpCall& call, Stranger stranger) {
    if (stranger == Stranger::is_refused) {
        return problem(401, "unauthorized", "The session is over; sign in again.");
    }
    const bool can_come_back = call.method == "GET" && call.path != "/console";
    return redirect(can_come_back ? "/console/sign-in?next=" + percent_encoded(call.target)
                                  : std::string{"/console/sign-in"});
}

HttpReply stale_form() {
    View view;
    view.set("text", std::string{"This page was too old, or not ours: nothing was done. Go back, "
                                 "load it again, and try once more."});
    return plain_page(403, "message.html", "Nothing was done", std::move(view));
}

/// What a program would be told in JSON, as a page.
HttpReply in_words(const HttpReply& told) {
    View view;
    view.set("text", to_answer(told).complaint());
    auto reply = plain_page(told.status, "message.html", "Not now", std::move(view));
    for (const auto& header : told.headers) {
        if (header.first == "Retry-After") reply.headers.push_back(header);
    }
    reply.hold = told.hold;
    return reply;
}

asio::awaitable<HttpReply> show_nothing(const PageContext& context, const Visit& visit) {
    Page page{"message.html", "There is no such page", "", {}};
    page.view.set("text", std::string{"Nothing is at this address of the console."});
    page.notice.status = 404;
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> serve(std::shared_ptr<const Entry> entry, std::string form_word,
                                 api::Identity who, const HttpCall& call) {
    auto form = read_form(call);
    const bool acts = call.method == "POST";
    if (!form && !acts) form.emplace();
    if (acts && (!form || !same_secret(field(*form, "form_word"), form_word))) {
        co_return stale_form();
    }
    const Visit visit{call, who, std::move(form_word), std::move(*form)};
    co_return co_await entry->shown(visit);
}

asio::awaitable<Opened> enter(std::shared_ptr<const Entry> entry, const HttpCall& call) {
    const auto& parts = *entry->parts;
    const auto session = find_session(parts.sessions, call);
    if (!session) co_return signed_out(call, entry->stranger);
    auto known = parts.clients.resume(session->client, session->mark);
    if (auto* const reply = std::get_if<HttpReply>(&known)) {
        if (reply->status == 401) co_return signed_out(call, entry->stranger);
        if (entry->stranger == Stranger::is_refused) co_return std::move(*reply);
        co_return in_words(*reply);
    }
    if (call.method == "POST" && !is_of_this_site(call)) co_return stale_form();
    co_return HttpHandler{[entry, word = parts.sessions.form_word(*session),
                           who = std::move(std::get<api::Identity>(known))](const HttpCall& whole) {
        return serve(entry, word, who, whole);
    }};
}

void add(Router& router, std::string_view method, std::string_view pattern, Entry entry,
         RouteOptions options) {
    const auto shared = std::make_shared<const Entry>(std::move(entry));
    options.counted_as = counted_as;
    options.gate = [shared](const HttpCall& call) { return enter(shared, call); };
    router.add(method, pattern, {}, std::move(options));
}

}  // namespace

void Pages::get(std::string_view pattern, Shown shown) {
    add(router_, "GET", pattern, {parts_, std::move(shown), Stranger::is_asked_to_sign_in}, {});
}

void Pages::get_part(std::string_view pattern, Shown shown) {
    add(router_, "GET", pattern, {parts_, std::move(shown), Stranger::is_refused}, {});
}

void Pages::post(std::string_view pattern, Shown shown, std::size_t body_max) {
    RouteOptions options;
    options.body_max = body_max;
    options.content_types = {std::string{form_type}};
    add(router_, "POST", pattern, {parts_, std::move(shown), Stranger::is_asked_to_sign_in},
        std::move(options));
}

void Pages::get_nothing_else() {
    const auto& context = parts_->context;
    std::string pattern{"/console"};
    for (int depth = 0; depth < 5; ++depth) {
        pattern.append("/{part}");
        get(pattern, [&context](const Visit& visit) { return show_nothing(context, visit); });
    }
}

std::optional<Session> find_session(const Sessions& sessions, const HttpCall& call) {
    auto rest = call.header("cookie");
    while (!rest.empty()) {
        const auto end = rest.find(';');
        const auto pair = trimmed(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos || pair.substr(0, equals) != cookie_name) continue;
        return sessions.open(pair.substr(equals + 1));
    }
    return std::nullopt;
}

bool is_of_this_site(const HttpCall& call) {
    const auto site = call.header("sec-fetch-site");
    return site.empty() || site == "same-origin" || site == "none";
}

std::optional<Form> read_form(const HttpCall& call) {
    return parse_form(call.method == "POST" ? std::string_view{call.body} : call.query);
}

}  // namespace fanfare::console
