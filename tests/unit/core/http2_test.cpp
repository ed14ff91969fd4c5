// What either engine promises over HTTP/2: the same tests for libcurl and for nghttp2.
#include "core/http/limits.hpp"
#include "tests/unit/core/http2_case.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <future>

namespace fanfare {
namespace {

using test::echo_all;
using test::H2Line;
using test::H2Server;
using test::HttpServer;
using test::Line;
using ::testing::IsEmpty;
using ::testing::Not;

enum class Engine { libcurl, nghttp2 };

class Http2Test : public test::Http2Case, public ::testing::WithParamInterface<Engine> {
protected:
    std::unique_ptr<HttpClient> make_client() override {
        if (GetParam() == Engine::nghttp2) return Http2Case::make_client();
        return HttpClient::create(context.get_executor(), options);
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, Http2Test, ::testing::Values(Engine::libcurl, Engine::nghttp2),
                         [](const auto& engine) {
                             return engine.param == Engine::libcurl ? "libcurl" : "nghttp2";
                         });

TEST_P(Http2Test, SendsTheBytesAndReadsTheAnswer) {
    std::promise<test::H2Request> got;
    H2Server server{[&](H2Line& line, int) {
        const auto request = line.read_request();
        if (!request) return;
        line.answer(request->stream, 429, "slow down",
                    {{"retry-after", " 17 "},
                     {"apns-id", "m-1"},
                     {"x-ratelimit-reset", "1700000000"},
                     {"date", "Sun, 29 Nov 2026 11:00:00 GMT"},
                     {"x-other", "no"}});
        got.set_value(*request);
        line.wait_for_close();
    }};
    trust(server);
    const HttpRequest request{.url = server.server.url("/3/device/abc?x=1"),
                              .headers = {"Content-Type: text/plain", "X-Tag: t"},
                              .body = "the body",
                              .http2 = true};
    const auto answer = send(request);
    EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.body, "slow down");
    EXPECT_EQ(answer.retry_after, "17");
    EXPECT_EQ(answer.message_id, "m-1");
    EXPECT_EQ(answer.rate_limit_reset, "1700000000");
    EXPECT_EQ(answer.date, "Sun, 29 Nov 2026 11:00:00 GMT");
    const auto seen = got.get_future().get();
    EXPECT_EQ(seen.body, "the body");
    EXPECT_EQ(seen.headers.at(":method"), "POST");
    EXPECT_EQ(seen.headers.at(":scheme"), "https");
    EXPECT_EQ(seen.headers.at(":path"), "/3/device/abc?x=1");
    EXPECT_EQ(seen.headers.at(":authority"), fmt::format("127.0.0.1:{}", server.server.port()));
    EXPECT_EQ(seen.headers.at("content-type"), "text/plain");
    EXPECT_EQ(seen.headers.at("x-tag"), "t");
    EXPECT_EQ(seen.headers.at("content-length"), "8");
}

TEST_P(Http2Test, GetsWithoutABody) {
    std::promise<test::H2Request> got;
    H2Server server{[&](H2Line& line, int) {
        const auto request = line.read_request();
        if (!request) return;
        line.answer(request->stream, 200, "pem");
        got.set_value(*request);
        line.wait_for_close();
    }};
    trust(server);
    const HttpRequest get{.url = server.server.url("/a.pem"),
                          .headers = {},
                          .body = "left",
                          .http2 = true,
                          .get = true};
    EXPECT_EQ(send(get).body, "pem");
    const auto seen = got.get_future().get();
    EXPECT_EQ(seen.headers.at(":method"), "GET");
    EXPECT_THAT(seen.body, IsEmpty());
    EXPECT_FALSE(seen.headers.contains("content-length"));
}

TEST_P(Http2Test, TellsNothingOfOneAnswerInTheNext) {
    H2Server server{[](H2Line& line, int) {
        if (const auto first = line.read_request()) {
            line.answer(first->stream, 500, "first", {{"retry-after", "9"}, {"apns-id", "m"}});
        }
        if (const auto second = line.read_request()) line.answer(second->stream, 200, "");
        line.wait_for_close();
    }};
    EXPECT_EQ(send(server).body, "first");
    const auto second = send(server);
    EXPECT_EQ(second.status, 200);
    EXPECT_THAT(second.body, IsEmpty());
    EXPECT_THAT(second.retry_after, IsEmpty());
    EXPECT_THAT(second.message_id, IsEmpty());
    EXPECT_EQ(server.server.connections(), 1) << "connections are kept";
}

TEST_P(Http2Test, ALargeBodyWaitsForTheServersWindows) {
    std::promise<std::size_t> got;
    H2Server server{[&](H2Line& line, int) {
        const auto request = line.read_request();
        if (!request) return;
        got.set_value(request->body.size());
        line.answer(request->stream, 200, "");
        line.wait_for_close();
    }};
    EXPECT_EQ(send(server, std::string(3'000'000, 'x')).status, 200);
    EXPECT_EQ(got.get_future().get(), 3'000'000U);
}

TEST_P(Http2Test, ManyAtOnceShareOneConnectionAndAreAnsweredOnceEach) {
    constexpr int count = 200;
    std::atomic<int> requests{0};
    std::atomic<std::size_t> most{0};
    H2Server server{[&](H2Line& line, int) {
                        while (const auto request = line.read_request()) {
                            ++requests;
                            most = std::max(most.load(), line.most_open());
                            line.answer(request->stream, 200, request->body);
                        }
                    },
                    {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 20}}};
    options.connections_max = 1;
    const auto answers = send_many(server, count);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        EXPECT_EQ(answers[i].transport, Transport::answered) << answers[i].fault;
        EXPECT_EQ(answers[i].body, fmt::format("body-{}", i));
    }
    EXPECT_EQ(http().in_flight(), 0U);
    EXPECT_EQ(requests, count);
    EXPECT_LE(most, 20U) << "more streams than the server allows";
    EXPECT_EQ(server.server.connections(), 1);
}

TEST_P(Http2Test, AConnectionThatDiesAfterTheRequestIsInDoubt) {
    for (const bool orderly : {true, false}) {
        std::atomic<int> requests{0};
        H2Server server{[&](H2Line& line, int connection) {
            if (connection > 0) return echo_all(line, connection);
            if (const auto first = line.read_request()) line.answer(first->stream, 200, "one");
            if (!line.read_request()) return;
            ++requests;
            orderly ? line.line().close() : line.line().reset();
        }};
        trust(server);
        client.reset();
        ASSERT_EQ(send(server, "one").body, "one");
        const auto answer = send(server, "two");
        EXPECT_EQ(answer.transport, Transport::in_doubt) << answer.fault;
        EXPECT_THAT(answer.fault, Not(IsEmpty()));
        EXPECT_EQ(requests, 1) << "the provider has the request once";
        EXPECT_EQ(send(server, "three").body, "three") << "and the client goes on";
    }
}

TEST_P(Http2Test, AConnectionThatDiesUnderHalfABodyGotNothing) {
    std::atomic<int> uploads{0};
    H2Server server{[&](H2Line& line, int) {
        std::size_t bytes = 0;
        while (bytes < 500'000) {
            const auto frame = line.read_frame();
            if (!frame) return;
            if (frame->type == NGHTTP2_DATA) bytes += frame->payload.size();
        }
        ++uploads;
        line.line().reset();
    }};
    const auto answer = send(server, std::string(40'000'000, 'x'));
    EXPECT_EQ(answer.transport, Transport::not_sent)
        << "the end of the body never left: nobody can have acted on it; " << answer.fault;
    EXPECT_EQ(uploads, 1);
}

TEST_P(Http2Test, AStreamThatIsResetWithoutAnAnswerIsInDoubt) {
    H2Server server{[](H2Line& line, int) {
        if (const auto request = line.read_request()) {
            line.reset(request->stream, NGHTTP2_INTERNAL_ERROR);
        }
        line.wait_for_close();
    }};
    EXPECT_EQ(send(server).transport, Transport::in_doubt);
    EXPECT_EQ(server.server.connections(), 1);
}

TEST_P(Http2Test, AnAnswerThatBreaksOffIsInDoubt) {
    H2Server server{[](H2Line& line, int connection) {
        const auto request = line.read_request();
        if (!request) return;
        line.write_headers(request->stream, 200, {{"content-length", "100"}}, false);
        line.write_body(request->stream, R"({"id":)", false);
        if (connection == 0) return line.line().close();
        line.reset(request->stream, NGHTTP2_REFUSED_STREAM);  // It lies: it has begun to answer.
        line.wait_for_close();
    }};
    EXPECT_EQ(send(server).transport, Transport::in_doubt);
    EXPECT_EQ(send(server).transport, Transport::in_doubt);
}

TEST_P(Http2Test, AnAnswerShorterThanItSaysIsInDoubt) {
    H2Server server{[](H2Line& line, int) {
        const auto request = line.read_request();
        if (!request) return;
        line.answer(request->stream, 200, "{}", {{"content-length", "100"}});
        line.wait_for_close();
    }};
    EXPECT_EQ(send(server).transport, Transport::in_doubt);
}

TEST_P(Http2Test, AnAnswerAtItsBoundIsReadAndOneBeyondIsInDoubt) {
    H2Server server{[](H2Line& line, int) {
        while (const auto request = line.read_request()) {
            line.write_headers(request->stream, 200, {}, false);
            line.write_body(request->stream, std::string(std::stoul(request->body), 'x'), true);
        }
    }};
    const auto whole = send(server, std::to_string(answer_bytes_max));
    EXPECT_EQ(whole.transport, Transport::answered) << whole.fault;
    EXPECT_EQ(whole.body.size(), answer_bytes_max);
    const auto cut = send(server, std::to_string(answer_bytes_max + 1));
    EXPECT_EQ(cut.transport, Transport::in_doubt);
    EXPECT_LE(cut.body.size(), answer_bytes_max);
}

TEST_P(Http2Test, RedirectsAreAnswersNotOrders) {
    std::atomic<int> requests{0};
    H2Server elsewhere{echo_all};
    H2Server server{[&](H2Line& line, int) {
        while (const auto request = line.read_request()) {
            ++requests;
            line.answer(request->stream, std::stoi(request->body), "",
                        {{"location", elsewhere.server.url("/stolen")}});
        }
    }};
    for (const auto* status : {"301", "302", "303", "307", "308"}) {
        const auto answer = send(server, status);
        EXPECT_EQ(answer.transport, Transport::answered);
        EXPECT_EQ(answer.status, std::stoi(status));
    }
    EXPECT_EQ(elsewhere.server.connections(), 0);
    EXPECT_EQ(requests, 5);
}

TEST_P(Http2Test, AnAnswerThatDoesNotComeInTimeIsInDoubt) {
    options.timeout = std::chrono::milliseconds{400};
    std::atomic<int> requests{0};
    H2Server server{[&](H2Line& line, int) {
        if (line.read_request()) ++requests;
        line.wait_for_close();
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::in_doubt) << answer.fault;
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(requests, 1);
}

TEST_P(Http2Test, AProxyOfTheEnvironmentIsNotUsed) {
    HttpServer proxy{test::answer_all};
    H2Server server{echo_all};
    for (const auto* name : {"https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"}) {
        ::setenv(name, proxy.url("").c_str(), 1);
    }
    const auto answer = send(server);
    for (const auto* name : {"https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"}) {
        ::unsetenv(name);
    }
    EXPECT_EQ(answer.transport, Transport::answered);
    EXPECT_EQ(proxy.connections(), 0);
}

TEST_P(Http2Test, SendsNothingUnderAnUnknownAuthority) {
    std::atomic<int> requests{0};
    H2Server other{echo_all};
    H2Server server{[&](H2Line& line, int) {
        if (line.read_request()) ++requests;
    }};
    trust(other);
    EXPECT_EQ(send(server).transport, Transport::not_sent);
    EXPECT_EQ(requests, 0);
}

TEST_P(Http2Test, SendsNothingUnderAnotherHostsName) {
    for (const auto* name : {"DNS:other.example", "IP:127.0.0.2", "DNS:127.0.0.1.example"}) {
        std::atomic<int> requests{0};
        H2Server server{[&](H2Line& line, int) {
                            if (line.read_request()) ++requests;
                        },
                        {},
                        name};
        client.reset();
        trust(server);
        EXPECT_EQ(send(server).transport, Transport::not_sent) << name;
        EXPECT_EQ(requests, 0) << name;
    }
}

TEST_P(Http2Test, AHostIsLookedUpByName) {
    H2Server server{echo_all, {}, "DNS:localhost"};
    trust(server);
    auto request = request_to(server);
    request.url = fmt::format("https://localhost:{}/send", server.server.port());
    const auto answer = send(request);
    EXPECT_EQ(answer.body, "hello") << answer.fault;
    request.url = fmt::format("https://nowhere.invalid:{}/send", server.server.port());
    EXPECT_EQ(send(request).transport, Transport::not_sent);
}

TEST_P(Http2Test, CertificatesThatCannotBeReadSendNothing) {
    H2Server server{echo_all};
    options.ca_file = "/nowhere/ca.pem";
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::not_sent);
    EXPECT_THAT(answer.fault, Not(IsEmpty()));
}

TEST_P(Http2Test, OtherProtocolsAndBrokenUrlsAreRefused) {
    const auto too_long = "https://" + std::string(300, 'h') + ".example/";
    for (const auto* url :
         {"file:///etc/hostname", "ftp://127.0.0.1/x", "smtp://127.0.0.1/x", "http://127.0.0.1:1/",
          "https:///x", "", "x", "https://127.0.0.1:1/a b", "https://127.0.0.1:1/a\r\nb",
          "https://127.0.0.1:99999/", too_long.c_str()}) {
        const HttpRequest request{.url = url, .headers = {}, .body = "x", .http2 = true};
        const auto answer = send(request);
        EXPECT_EQ(answer.transport, Transport::not_sent) << url;
        EXPECT_THAT(answer.fault, Not(IsEmpty())) << url;
    }
}

TEST_P(Http2Test, EndingTheClientTellsWhatBecameOfOpenExchanges) {
    std::atomic<bool> arrived{false};
    H2Server server{[&](H2Line& line, int) {
        if (line.read_request()) arrived = true;
        line.wait_for_close();
    }};
    trust(server);
    std::vector<Transport> fates;
    const auto note = [&](const HttpAnswer& answer) { fates.push_back(answer.transport); };
    const auto written = request_to(server, "written");
    http().start(written, note);
    run_until([&] { return arrived.load(); });
    const auto waiting = request_to(server, "waiting");
    http().start(waiting, note);
    EXPECT_EQ(http().in_flight(), 2U);
    client.reset();
    EXPECT_THAT(fates, ::testing::UnorderedElementsAre(Transport::in_doubt, Transport::not_sent));
    context.restart();
    context.poll();
    EXPECT_EQ(fates.size(), 2U) << "each is told once";
}

}  // namespace
}  // namespace fanfare
