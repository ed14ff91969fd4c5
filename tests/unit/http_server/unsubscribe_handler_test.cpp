#include "producer/unsubscribe/unsubscribe_handler.hpp"
#include "producer/unsubscribe/page.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class UnsubscribeHandlerTest : public ::testing::Test {
protected:
    UnsubscribeHandlerTest() { handler.add_routes(router); }

    std::string link(Channel channel = Channel::email) const {
        std::vector<std::string> refs;
        references.write_refs(job, channel, 7, 4, refs);
        return "/u/" + job + ".7." + refs[3];
    }

    HttpReply send(const std::string& method, const std::string& path, std::string body = "",
                   const std::string& type = "application/x-www-form-urlencoded") {
        HttpCall call;
        call.method = method;
        call.path = path;
        call.body = std::move(body);
        call.query = query;
        call.headers.emplace_back("Content-Type", type);
        auto match = router.find(method, path);
        if (match.route == nullptr) return problem(404, "not_found", "");
        call.params = std::move(match.params);
        EXPECT_FALSE(match.route->options.body_counts);
        auto opened = test::run(context, match.route->options.gate(call));
        if (auto* const reply = std::get_if<HttpReply>(&opened)) return std::move(*reply);
        return test::run(context, std::get<HttpHandler>(opened)(call));
    }

    asio::awaitable<Result<bool>> store(Reference reference, std::string mark) {
        if (!ledger_is_up) co_return fail(Errc::store_unavailable, "store an opt-out");
        stored.push_back(std::move(reference));
        marks.push_back(std::move(mark));
        co_return job_is_known;
    }

    const std::string job = "0b5a8c2e-1111-4222-8333-444455556666";
    const std::string one_click = "List-Unsubscribe=One-Click";
    References references{Secret{"a link key of at least 32 bytes, for tests"}};
    asio::io_context context{1};
    ManualClock clock{TimePoint{std::chrono::seconds{1}}};
    std::string query;
    bool ledger_is_up = true;
    bool job_is_known = true;
    std::vector<Reference> stored;
    std::vector<std::string> marks;
    Router router;
    UnsubscribeHandler handler{{references, clock, 100, std::make_shared<prometheus::Registry>(),
                                [this](Reference reference, std::string mark) {
                                    return store(std::move(reference), std::move(mark));
                                }}};
};

TEST_F(UnsubscribeHandlerTest, APostUnsubscribesAtOnce) {
    const auto reply = send("POST", link(), one_click);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(stored, ElementsAre(Reference{job, Channel::email, 7, 3}));
    EXPECT_THAT(reply.body, HasSubstr("You are unsubscribed"));
}

TEST_F(UnsubscribeHandlerTest, APostUnsubscribesWhateverItsBody) {
    const std::string part =
        "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n";
    for (const auto& [type, body] : std::vector<std::pair<std::string, std::string>>{
             {"", ""},
             {"", one_click},
             {"application/x-www-form-urlencoded", ""},
             {"application/x-www-form-urlencoded", "list-unsubscribe=one-click&%"},
             {"multipart/form-data; boundary=b", part + "--b--\r\n"},
             {"multipart/form-data", part},
             {"application/json", "{}"},
             {"text/plain; charset=x", one_click + "\r\n"},
             {"no type at all", std::string(100'000, 'x')}}) {
        clock.advance(std::chrono::seconds{1});
        EXPECT_EQ(send("POST", link(), body, type).status, 200) << type;
    }
    EXPECT_EQ(stored.size(), 9U);
}

TEST_F(UnsubscribeHandlerTest, ASlashBehindTheLinkDoesNoHarm) {
    EXPECT_EQ(send("GET", link() + "/").status, 200);
    EXPECT_EQ(send("POST", link() + "/", one_click).status, 200);
    EXPECT_THAT(stored, ElementsAre(Reference{job, Channel::email, 7, 3}));
}

TEST_F(UnsubscribeHandlerTest, JunkCostsTrueLinksNothing) {
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_EQ(send("POST", "/u/" + job + ".7.3.AAAAAAAAAAA", one_click).status, 404);
    }
    EXPECT_EQ(send("POST", link(), one_click).status, 200);
}

TEST_F(UnsubscribeHandlerTest, OneLinkCostsTheOthersNothing) {
    int served = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto reply = send("POST", link(), one_click);
        EXPECT_TRUE(reply.status == 200 || reply.status == 429) << reply.status;
        if (reply.status == 200) ++served;
    }
    EXPECT_EQ(served, 10);
    std::vector<std::string> refs;
    references.write_refs(job, Channel::email, 7, 100, refs);
    int others = 0;
    for (std::size_t i = 4; i < refs.size(); ++i) {
        if (send("POST", "/u/" + job + ".7." + refs[i]).status == 200) ++others;
    }
    EXPECT_EQ(others, 90) << "100 a second in all";
}

TEST_F(UnsubscribeHandlerTest, AGetShowsAButtonAndChangesNothing) {
    for (const auto* const method : {"GET", "HEAD"}) {
        const auto reply = send(method, link());
        EXPECT_EQ(reply.status, 200);
        EXPECT_THAT(reply.body, HasSubstr("<form method=\"post\">"));
        EXPECT_THAT(reply.body, HasSubstr("name=\"List-Unsubscribe\" value=\"One-Click\""));
        EXPECT_THAT(reply.body, HasSubstr("<html lang=\"en\">"));
        EXPECT_THAT(reply.body, HasSubstr("width=device-width"));
    }
    EXPECT_THAT(stored, IsEmpty());
}

TEST_F(UnsubscribeHandlerTest, ABadLinkIs404AndChangesNothing) {
    auto forged = link();
    forged.back() = forged.back() == 'A' ? 'Q' : 'A';
    for (const auto& path :
         {forged, link(Channel::sms), link() + "x", std::string{"/u/x"}, link() + "/x"}) {
        EXPECT_EQ(send("GET", path).status, 404) << path;
        EXPECT_EQ(send("POST", path, one_click).status, 404) << path;
    }
    EXPECT_THAT(stored, IsEmpty());
    job_is_known = false;
    EXPECT_EQ(send("POST", link(), one_click).status, 404);
}

TEST_F(UnsubscribeHandlerTest, ATamperedLinkIsNone) {
    const auto whole = link().substr(3);
    std::vector<std::string> tampered;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const char c : {'0', '9', 'a', 'A', 'Z', '-', '_', '.', '~'}) {
            if (whole[at] == c) continue;
            auto copy = whole;
            copy[at] = c;
            tampered.push_back(copy);
        }
        auto without = whole;
        tampered.push_back(without.erase(at, 1));
        auto twice = whole;
        tampered.push_back(twice.insert(at, 1, whole[at]));
        tampered.push_back(whole.substr(0, at));
    }
    for (const auto* const more : {".", "=", "%00", "%0a", "%20", "x", ".7.3", "/../x"}) {
        tampered.push_back(whole + more);
    }
    EXPECT_GE(tampered.size(), 265U);
    for (const auto& each : tampered) {
        if (each == whole) continue;  // One of two like characters that are neighbours.
        clock.advance(std::chrono::seconds{1});
        EXPECT_EQ(send("POST", "/u/" + each, one_click).status, 404) << each;
    }
    EXPECT_THAT(stored, IsEmpty());
}

TEST_F(UnsubscribeHandlerTest, IsThankedForOnlyWhenItIsStored) {
    ledger_is_up = false;
    const auto reply = send("POST", link(), one_click);
    EXPECT_EQ(reply.status, 503);
    EXPECT_THAT(reply.body, Not(HasSubstr("You are unsubscribed")));
}

TEST_F(UnsubscribeHandlerTest, PagesTellNobodyAnything) {
    for (const auto& reply :
         {ask_page(), done_page(), unknown_page(), unavailable_page(), too_many_page()}) {
        std::string headers;
        for (const auto& [name, value] : reply.headers) headers += name + ": " + value + "\n";
        EXPECT_THAT(headers,
                    HasSubstr("Content-Security-Policy: default-src 'none'; style-src 'sha256-"));
        EXPECT_THAT(headers, HasSubstr("Cache-Control: no-store\n"));
        EXPECT_THAT(headers, HasSubstr("Referrer-Policy: no-referrer\n"));
        EXPECT_THAT(reply.body, Not(HasSubstr("<script")));
        EXPECT_THAT(reply.body, Not(HasSubstr("http")));
    }
}

TEST_F(UnsubscribeHandlerTest, TheSealOfTheLinkNamesTheAddress) {
    std::string seal;
    references.write_seals(job, 7, std::vector<MarkedPlace>{{3, {'m', 'a', 'r', 'k'}}}, seal);
    query = "a=" + seal;
    EXPECT_EQ(send("POST", link()).status, 200);
    query = "a=" + seal.substr(1);
    EXPECT_EQ(send("POST", link()).status, 200) << "the reference counts by itself";
    query = "utm_source=x";
    EXPECT_EQ(send("POST", link()).status, 200);
    EXPECT_THAT(marks, ElementsAre(std::string{"mark\0\0\0\0", 8}, "", ""));
}

}  // namespace
}  // namespace fanfare
