// Who gets to the console's pages, and what they show of the API's answers.
#include "producer/console/console.hpp"
#include "producer/api/api_server.hpp"
#include "producer/api/reply.hpp"
#include "tests/support/coroutines.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/object.hpp>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string shop_token = "shop-token-0123456789abcdef01234567";
const std::string reader_token = "reader-token-0123456789abcdef012345";
const std::string job = "0b5a8c2e-1111-4222-8333-444455556666";

ClientSettings client(const std::string& name, const std::string& token,
                      std::vector<Scope> scopes) {
    ClientSettings settings;
    settings.name = name;
    settings.token = Secret{token};
    settings.scopes = std::move(scopes);
    return settings;
}

class ConsoleTest : public ::testing::Test {
protected:
    ConsoleTest() {
        settings.link_key = Secret{"a link key of at least 32 bytes, for tests"};
        settings.producer.clients = {
            client("shop", shop_token, {Scope::read, Scope::cancel, Scope::operate}),
            client("reader", reader_token, {Scope::read})};
        open();
    }

    /// As another process with these settings would.
    void open() {
        clients = std::make_unique<api::Clients>(settings.producer.clients, clock, registry);
        router = Router{};
        console = Console::open({settings, systems, clock, *clients, stub()});
        console->add_routes(router);
    }

    /// The API, as far as these tests ask it: who calls, and what.
    Router stub() {
        Router api;
        const auto add = [&](std::string_view method, std::string_view pattern, Scope scope) {
            RouteOptions options;
            options.gate = [this, scope](const HttpCall& call) { return enter(call, scope); };
            api.add(method, pattern, {}, std::move(options));
        };
        add("GET", "/v1/jobs", Scope::read);
        add("GET", "/v1/jobs/{id}", Scope::read);
        add("GET", "/v1/pauses", Scope::read);
        add("POST", "/v1/jobs/{id}/cancel", Scope::cancel);
        return api;
    }
    asio::awaitable<std::variant<HttpHandler, HttpReply>> enter(const HttpCall& call, Scope scope) {
        auto admitted = clients->admit_known(call.header(api::ApiServer::inner_client), scope);
        if (auto* const reply = std::get_if<HttpReply>(&admitted)) co_return std::move(*reply);
        co_return HttpHandler{[this](const HttpCall& whole) { return answer(whole); }};
    }
    asio::awaitable<HttpReply> answer(const HttpCall& call) {
        asked.push_back(call.method + " " + call.target);
        const json::object one{{"id", job},
                               {"title", "<script>alert(1)</script>"},
                               {"kind", "show.reminder"},
                               {"system", "shows"},
                               {"state", "sending"},
                               {"planned", 10},
                               {"settled", 4}};
        if (call.path == "/v1/jobs") {
            const json::object page{{"jobs", json::array{one}}, {"next_cursor", "more"}};
            co_return api::reply_with(200, page);
        }
        co_return api::reply_with(200, one);
    }

    HttpReply send(const std::string& method, const std::string& target, std::string body = "",
                   std::vector<std::pair<std::string, std::string>> headers = {}) {
        HttpCall call;
        call.method = method;
        call.target = target;
        call.path = target.substr(0, target.find('?'));
        if (call.path != target) call.query = target.substr(call.path.size() + 1);
        call.body = std::move(body);
        call.peer = "192.0.2.1";
        call.headers = std::move(headers);
        if (!cookie.empty()) call.headers.emplace_back("Cookie", "other=1; " + cookie);
        auto match = router.find(method, call.path);
        if (match.route == nullptr) return problem(404, "not_found", "");
        call.params = std::move(match.params);
        auto handler = match.route->handler;
        if (match.route->options.gate) {
            auto opened = test::run(context, match.route->options.gate(call));
            if (auto* const reply = std::get_if<HttpReply>(&opened)) return std::move(*reply);
            handler = std::move(std::get<HttpHandler>(opened));
        }
        return test::run(context, handler(call));
    }
    static std::string header(const HttpReply& reply, std::string_view name) {
        for (const auto& [each, value] : reply.headers) {
            if (each == name) return value;
        }
        return "";
    }
    HttpReply sign_in(const std::string& token, const std::string& next = "") {
        auto reply = send("POST", "/console/sign-in", "token=" + token + "&next=" + next);
        const auto set = header(reply, "Set-Cookie");
        cookie = set.substr(0, set.find(';'));
        return reply;
    }
    /// What a form of the page that was shown brings along.
    std::string form_word() {
        const auto body = send("GET", "/console/jobs").body;
        const std::string before{"name=\"form_word\" value=\""};
        const auto at = body.find(before) + before.size();
        return body.substr(at, body.find('"', at) - at);
    }

    Settings settings;
    Systems systems;
    ManualClock clock{TimePoint{std::chrono::seconds{1'700'000'000}}};
    prometheus::Registry registry;
    std::unique_ptr<api::Clients> clients;
    std::unique_ptr<Console> console;
    Router router;
    asio::io_context context{1};
    std::string cookie;
    std::vector<std::string> asked;
};

TEST_F(ConsoleTest, NoPageIsShownToAStranger) {
    std::size_t guarded = 0;
    for (const auto& route : router.routes()) {
        EXPECT_EQ(route->label(), "/console") << route->pattern;
        if (!route->options.gate) continue;
        ++guarded;
        const auto reply = send(route->method, route->pattern);
        EXPECT_TRUE(reply.status == 303 || reply.status == 401) << route->pattern;
        EXPECT_THAT(reply.body, Not(HasSubstr("form_word")));
    }
    EXPECT_GE(guarded, 30U);
    EXPECT_TRUE(asked.empty());
    EXPECT_EQ(header(send("GET", "/console/jobs?state=done"), "Location"),
              "/console/sign-in?next=%2Fconsole%2Fjobs%3Fstate%3Ddone");
}

TEST_F(ConsoleTest, SignsInWithATokenAndKeepsItNowhere) {
    const auto reply = sign_in(shop_token);
    EXPECT_EQ(reply.status, 303);
    EXPECT_EQ(header(reply, "Location"), "/console/jobs");
    const auto set = header(reply, "Set-Cookie");
    EXPECT_THAT(set, HasSubstr("; Path=/console; Max-Age=43200; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(set, Not(HasSubstr("Secure"))) << "over plain HTTP a browser would drop it";
    EXPECT_THAT(set, Not(HasSubstr(shop_token)));
    const auto page = send("GET", "/console/jobs");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, Not(HasSubstr(shop_token)));
}

TEST_F(ConsoleTest, TheCookieIsForTlsOnlyBehindAProxyThatSpeaksIt) {
    const auto reply =
        send("POST", "/console/sign-in", "token=" + shop_token, {{"X-Forwarded-Proto", "https"}});
    EXPECT_THAT(header(reply, "Set-Cookie"), HasSubstr("; Secure"));
}

TEST_F(ConsoleTest, RefusesAWrongTokenAndSlowsWhoGuesses) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(sign_in("wrong").hold.count(), 0);
    const auto reply = sign_in("<script>");
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.hold, std::chrono::seconds{1});
    EXPECT_EQ(header(reply, "Set-Cookie"), "");
    EXPECT_THAT(reply.body, Not(HasSubstr("<script>")));
}

TEST_F(ConsoleTest, GoesOnlyToPagesOfItsOwn) {
    EXPECT_EQ(header(sign_in(shop_token, "%2Fconsole%2Faccounts"), "Location"),
              "/console/accounts");
    for (const auto* const next : {"https%3A%2F%2Fevil.example", "%2F%2Fevil.example",
                                   "%2Fv1%2Fjobs", "%2Fconsole%2F%0d%0aX%3A+1", "%2Fconsole"}) {
        EXPECT_EQ(header(sign_in(shop_token, next), "Location"), "/console/jobs") << next;
    }
}

TEST_F(ConsoleTest, EveryPageHasAStrictPolicy) {
    sign_in(shop_token);
    for (const auto* const target : {"/console/jobs", "/console/sign-in", "/console/console.js"}) {
        const auto reply = send("GET", target);
        const auto policy = header(reply, "Content-Security-Policy");
        for (const auto* const word :
             {"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
              "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"}) {
            EXPECT_THAT(policy, HasSubstr(word)) << target;
        }
        EXPECT_THAT(policy, Not(HasSubstr("unsafe"))) << target;
        EXPECT_EQ(header(reply, "Referrer-Policy"), "no-referrer");
        EXPECT_EQ(header(reply, "X-Frame-Options"), "DENY");
    }
    EXPECT_EQ(header(send("GET", "/console/jobs"), "Cache-Control"), "no-store");
}

TEST_F(ConsoleTest, ATitleWithAScriptStaysText) {
    sign_in(shop_token);
    for (const auto& target : {std::string{"/console/jobs"}, "/console/jobs/" + job}) {
        const auto body = send("GET", target).body;
        EXPECT_THAT(body, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;")) << target;
        EXPECT_THAT(body, Not(HasSubstr("<script>alert"))) << target;
    }
}

TEST_F(ConsoleTest, ActsOnlyWithTheWordOfTheSession) {
    sign_in(shop_token);
    const auto cancel = "/console/jobs/" + job + "/cancel";
    const auto word = form_word();
    asked.clear();
    for (const auto& body : {std::string{}, std::string{"form_word="}, "form_word=" + word + "x",
                             "form_word=%zz" + word}) {
        EXPECT_EQ(send("POST", cancel, body).status, 403) << body;
    }
    EXPECT_EQ(send("POST", cancel, "form_word=" + word, {{"Sec-Fetch-Site", "cross-site"}}).status,
              403);
    EXPECT_TRUE(asked.empty()) << "nothing was done";
    sign_in(shop_token);
    EXPECT_EQ(send("POST", cancel, "form_word=" + word).status, 403) << "of an earlier session";
    const auto done = send("POST", cancel, "form_word=" + form_word());
    EXPECT_EQ(done.status, 303);
    EXPECT_EQ(header(done, "Location"), "/console/jobs/" + job + "?done=cancelled");
    EXPECT_THAT(asked, ::testing::Contains("POST /v1/jobs/" + job + "/cancel"));
}

TEST_F(ConsoleTest, WithoutTheScopeItOffersNothingAndDoesNothing) {
    sign_in(reader_token);
    const auto page = send("GET", "/console/jobs/" + job);
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, Not(HasSubstr("/cancel\"")));
    EXPECT_THAT(page.body, Not(HasSubstr("/pause\"")));
    asked.clear();
    const auto refused =
        send("POST", "/console/jobs/" + job + "/cancel", "form_word=" + form_word());
    EXPECT_EQ(refused.status, 403);
    EXPECT_THAT(refused.body, HasSubstr("lacks the scope cancel"));
    EXPECT_THAT(asked, Not(::testing::Contains("POST /v1/jobs/" + job + "/cancel")));
}

TEST_F(ConsoleTest, ASessionEndsWithItsTokenAndWithItsTime) {
    sign_in(shop_token);
    EXPECT_EQ(send("GET", "/console/jobs").status, 200);
    settings.producer.clients[0].token = Secret{"another-token-0123456789abcdef0123"};
    open();
    EXPECT_EQ(send("GET", "/console/jobs").status, 303) << "the client has another token now";
    sign_in(reader_token);
    clock.advance(std::chrono::hours{13});
    EXPECT_EQ(send("GET", "/console/jobs").status, 303);
}

TEST_F(ConsoleTest, SignsOut) {
    sign_in(shop_token);
    const auto reply = send("POST", "/console/sign-out", "form_word=" + form_word());
    EXPECT_EQ(reply.status, 303);
    EXPECT_THAT(header(reply, "Set-Cookie"),
                HasSubstr("fanfare_console=; Path=/console; Max-Age=0"));
}

TEST_F(ConsoleTest, PassesFiltersOnAndPages) {
    sign_in(shop_token);
    asked.clear();
    const auto body = send("GET", "/console/jobs?system=shows&state=done&kind=a%26b").body;
    EXPECT_THAT(asked,
                ::testing::Contains("GET /v1/jobs?system=shows&kind=a%26b&state=done&limit=50"));
    EXPECT_THAT(body, HasSubstr("cursor=more"));
    EXPECT_THAT(body, HasSubstr("value=\"a&amp;b\""));
}

TEST_F(ConsoleTest, LiveNumbersAreOfTheSessionToo) {
    EXPECT_EQ(send("GET", "/console/live/jobs").status, 401);
    sign_in(shop_token);
    const auto reply = send("GET", "/console/live/jobs");
    EXPECT_EQ(reply.content_type, "text/event-stream");
    const auto piece = test::run(context, reply.pieces());
    ASSERT_TRUE(piece);
    EXPECT_THAT(*piece, HasSubstr("data: <tr role=\"row\" data-key=\"" + job));
}

}  // namespace
}  // namespace fanfare::console
