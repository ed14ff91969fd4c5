#include "core/http/client.hpp"
#include "tests/unit/core/http_case.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <map>
#include <set>
#include <tuple>

namespace fanfare {
namespace {

using test::answer_all;
using test::EitherHttpTest;
using test::HttpEngine;
using test::HttpServer;
using test::HttpTest;
using test::Line;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Engines, EitherHttpTest, test::either_engine(), EitherHttpTest::name);

TEST_P(EitherHttpTest, SendsTheBytesAndReadsTheAnswer) {
    HttpServer server{[](Line& line, int) {
        if (!line.read_request()) return;
        line.write(HttpServer::answer(429, "slow down",
                                      "RETRY-AFTER:  17 \r\nX-Message-Id: m-1\r\n"
                                      "x-ratelimit-reset: 1700000000\r\nX-Other: no\r\n"));
        line.wait_for_close();
    }};
    const HttpRequest request{
        server.url("/v3/messages"), {"Content-Type: text/plain", "X-Tag: t"}, "the body"};
    const auto answer = send(request);
    EXPECT_EQ(answer.transport, Transport::answered);
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.body, "slow down");
    EXPECT_EQ(answer.retry_after, "17");
    EXPECT_EQ(answer.message_id, "m-1");
    EXPECT_EQ(answer.rate_limit_reset, "1700000000");
    ASSERT_THAT(server.requests(), SizeIs(1));
    const auto seen = server.requests().front();
    EXPECT_THAT(seen, ::testing::StartsWith("POST /v3/messages HTTP/1.1\r\n"));
    EXPECT_THAT(seen, HasSubstr("\r\nX-Tag: t\r\n"));
    EXPECT_THAT(seen, HasSubstr("\r\nContent-Length: 8\r\n"));
    EXPECT_THAT(seen, ::testing::EndsWith("\r\n\r\nthe body"));
}

TEST_P(EitherHttpTest, GetsWithoutABodyAndPostsAgainOnTheSameHandle) {
    HttpServer server{answer_all};
    const HttpRequest get{.url = server.url("/a.pem"), .headers = {}, .body = "left", .get = true};
    EXPECT_EQ(send(get).status, 200);
    EXPECT_EQ(send(server, "hello").body, "hello");
    ASSERT_THAT(server.requests(), SizeIs(2));
    EXPECT_THAT(server.requests()[0], ::testing::StartsWith("GET /a.pem HTTP/1.1\r\n"));
    EXPECT_THAT(server.requests()[0], ::testing::EndsWith("\r\n\r\n"));
    EXPECT_THAT(server.requests()[1], ::testing::StartsWith("POST /send HTTP/1.1\r\n"));
}

TEST_P(EitherHttpTest, DoesNotWaitForLeaveToSendALargeBody) {
    HttpServer server{answer_all};
    const std::string body(3'000'000, 'x');
    EXPECT_EQ(send(server, body).status, 200);
    ASSERT_THAT(server.requests(), SizeIs(1));
    EXPECT_THAT(server.requests().front().substr(0, 1'000), Not(HasSubstr("Expect:")));
}

TEST_P(EitherHttpTest, TellsNothingOfOneAnswerInTheNext) {
    HttpServer server{[](Line& line, int) {
        if (line.read_request()) {
            line.write(HttpServer::answer(500, "first", "Retry-After: 9\r\nX-Message-Id: m\r\n"));
        }
        if (line.read_request()) line.write(HttpServer::answer(200, ""));
        line.wait_for_close();
    }};
    EXPECT_EQ(send(server).body, "first");
    const auto second = send(server);
    EXPECT_EQ(second.status, 200);
    EXPECT_THAT(second.body, IsEmpty());
    EXPECT_THAT(second.retry_after, IsEmpty());
    EXPECT_THAT(second.message_id, IsEmpty());
    EXPECT_EQ(server.connections(), 1) << "connections are kept";
}

// libcurl 7.88 sends a POST again by itself when a kept connection dies before the answer.

enum class End { fin, rst };

using EngineAndEnd = std::tuple<HttpEngine, End>;

class KeptConnectionTest : public HttpTest, public ::testing::WithParamInterface<EngineAndEnd> {
protected:
    std::unique_ptr<HttpClient> make_client() override {
        return make(std::get<HttpEngine>(GetParam()));
    }
    [[nodiscard]] static End end() { return std::get<End>(GetParam()); }
};

TEST_P(KeptConnectionTest, ThatDiesAfterTheRequestNeverSendsItTwice) {
    HttpServer server{[end = end()](Line& line, int connection) {
        if (connection > 0) return answer_all(line, connection);
        if (line.read_request()) line.write(HttpServer::answer(200, "one"));
        if (!line.read_request()) return;
        end == End::fin ? line.close() : line.reset();
    }};
    ASSERT_EQ(send(server, "one").body, "one");
    const auto answer = send(server, "two");
    EXPECT_EQ(answer.transport, Transport::in_doubt) << answer.fault;
    EXPECT_THAT(server.requests(), SizeIs(2)) << "the provider has the request once";
    EXPECT_THAT(answer.fault, Not(IsEmpty()));

    EXPECT_EQ(send(server, "three").body, "three") << "and the client goes on";
    EXPECT_THAT(server.requests(), SizeIs(3));
}

TEST_P(KeptConnectionTest, ThatDiesUnderAllOfManyRequestsSendsEachOnce) {
    constexpr int count = 16;
    HttpServer server{[end = end()](Line& line, int) {
        if (line.read_request()) line.write(HttpServer::answer(200, "warm"));
        if (!line.read_request()) return;
        end == End::fin ? line.close() : line.reset();
    }};
    int open = count;
    std::map<Transport, int> fates;
    const auto wave = [&](const std::string& name) {
        std::vector<HttpRequest> requests;
        for (int i = 0; i < count; ++i) {
            requests.push_back({server.url(), {}, fmt::format("{}-{}", name, i)});
        }
        open = count;
        fates.clear();
        for (const auto& request : requests) {
            http().start(request, [&](const HttpAnswer& answer) {
                ++fates[answer.transport];
                if (--open == 0) context.stop();
            });
        }
        context.restart();
        context.run();
    };
    options.connections_max = count;
    wave("warm");
    wave("lost");
    const auto seen = server.requests();
    std::multiset<std::string> bodies;
    for (const auto& request : seen) bodies.emplace(test::body_of(request));
    for (const auto& body : bodies) EXPECT_EQ(bodies.count(body), 1U) << body << " was sent twice";
}

TEST_P(KeptConnectionTest, ThatDiesUnderHalfALargeBodyNeverBeginsAgain) {
    std::atomic<int> uploads{0};
    HttpServer server{[&, end = end()](Line& line, int) {
        if (line.read_request()) line.write(HttpServer::answer(200, "one"));
        if (!line.read_bytes(1'000'000)) return;
        ++uploads;
        end == End::fin ? line.close() : line.reset();
    }};
    ASSERT_EQ(send(server, "one").body, "one");
    const auto answer = send(server, std::string(40'000'000, 'x'));
    EXPECT_EQ(answer.transport, Transport::not_sent)
        << "the end of the body never left: nobody can have acted on it";
    EXPECT_EQ(uploads, 1);
}

INSTANTIATE_TEST_SUITE_P(Ends, KeptConnectionTest,
                         ::testing::Combine(test::either_engine(),
                                            ::testing::Values(End::fin, End::rst)),
                         [](const auto& param) {
                             const bool fin = std::get<End>(param.param) == End::fin;
                             return test::name_of(std::get<HttpEngine>(param.param)) +
                                    (fin ? "Fin" : "Rst");
                         });

TEST_P(EitherHttpTest, ConnectionRefusedMeansNotSent) {
    // Bound but not listening: refused, and nobody else can take the port.
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const HttpRequest request{
        fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port)), {}, "x"};
    const auto answer = send(request);
    ::close(socket);
    EXPECT_EQ(answer.transport, Transport::not_sent);
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.fault, Not(IsEmpty()));
}

TEST_P(EitherHttpTest, AServerThatLeavesBeforeTheEndOfTheBodyGotNothing) {
    HttpServer server{[](Line& line, int) {
        if (line.read_bytes(500'000)) line.reset();
    }};
    EXPECT_EQ(send(server, std::string(40'000'000, 'x')).transport, Transport::not_sent);
    EXPECT_EQ(server.connections(), 1);
}

TEST_P(EitherHttpTest, AServerThatLeavesWithoutAnAnswerIsInDoubt) {
    HttpServer server{[](Line& line, int) {
        if (line.read_request()) line.close();
    }};
    EXPECT_EQ(send(server).transport, Transport::in_doubt);
    EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_P(EitherHttpTest, RedirectsAreAnswersNotOrders) {
    HttpServer elsewhere{answer_all};
    HttpServer server{[&](Line& line, int) {
        for (const int status : {301, 302, 303, 307, 308}) {
            if (!line.read_request()) return;
            line.write(HttpServer::answer(
                status, "", fmt::format("Location: {}\r\n", elsewhere.url("/stolen"))));
        }
        line.wait_for_close();
    }};
    for (const int status : {301, 302, 303, 307, 308}) {
        const auto answer = send(server);
        EXPECT_EQ(answer.transport, Transport::answered);
        EXPECT_EQ(answer.status, status);
    }
    EXPECT_EQ(elsewhere.connections(), 0);
    EXPECT_THAT(server.requests(), SizeIs(5));
}

TEST_P(EitherHttpTest, AnAnswerBeyondItsBoundIsInDoubt) {
    HttpServer server{[](Line& line, int) {
        if (!line.read_request()) return;
        line.write(HttpServer::answer(200, std::string((1 << 20) + 1, 'x')));
        line.wait_for_close();
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::in_doubt);
    EXPECT_LE(answer.body.size(), std::size_t{1 << 20});
}

TEST_P(EitherHttpTest, AnAnswerAtItsBoundIsRead) {
    HttpServer server{[](Line& line, int) {
        if (!line.read_request()) return;
        line.write(HttpServer::answer(200, std::string(1 << 20, 'x')));
        line.wait_for_close();
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::answered);
    EXPECT_EQ(answer.body.size(), std::size_t{1 << 20});
}

TEST_P(EitherHttpTest, AnEndlessAnswerIsCutOff) {
    HttpServer server{[](Line& line, int) {
        if (!line.read_request()) return;
        line.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 64; ++i) line.write("10000\r\n" + std::string(0x10000, 'x') + "\r\n");
        line.wait_for_close();
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::in_doubt);
    EXPECT_LE(answer.body.size(), std::size_t{1 << 20});
}

TEST_P(EitherHttpTest, AnAnswerThatBreaksOffIsInDoubt) {
    HttpServer server{[](Line& line, int) {
        if (!line.read_request()) return;
        line.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":");
        line.close();
    }};
    EXPECT_EQ(send(server).transport, Transport::in_doubt);
}

TEST_P(EitherHttpTest, AnAnswerThatIsNoHttpIsInDoubt) {
    HttpServer server{[](Line& line, int) {
        if (!line.read_request()) return;
        line.write("SSH-2.0-OpenSSH_9.2p1\r\n");
        line.close();
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::in_doubt);
    EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_P(EitherHttpTest, AnAnswerWithoutAStatusIsInDoubt) {
    for (const std::string status :
         {"HTTP/1.1 000 OK", "HTTP/2-1. 00 OK", "HTTP/2 2000", "HTTP/2 99 OK"}) {
        HttpServer server{[&](Line& line, int) {
            if (!line.read_request()) return;
            line.write(status + "\r\nContent-Length: 2\r\n\r\n{}");
            line.wait_for_close();
        }};
        const auto answer = send(server);
        EXPECT_EQ(answer.transport, Transport::in_doubt) << status;
        EXPECT_EQ(answer.status, 0) << status;
        EXPECT_THAT(answer.fault, Not(IsEmpty())) << status;
    }
}

TEST_P(EitherHttpTest, OtherProtocolsAreRefused) {
    for (const auto* url : {"file:///etc/hostname", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x",
                            "dict://127.0.0.1/x", "smtp://127.0.0.1/x", "telnet://127.0.0.1"}) {
        const HttpRequest request{url, {}, "x"};
        const auto answer = send(request);
        EXPECT_EQ(answer.transport, Transport::not_sent) << url;
        EXPECT_THAT(answer.body, IsEmpty()) << url;
    }
}

TEST_P(EitherHttpTest, PlainHttpIsRefusedUnlessItWasAllowed) {
    HttpServer server{answer_all};
    options.allow_http = false;
    EXPECT_EQ(send(server).transport, Transport::not_sent);
    EXPECT_EQ(server.connections(), 0);
}

TEST_P(EitherHttpTest, AProxyOfTheEnvironmentIsNotUsed) {
    HttpServer proxy{answer_all};
    HttpServer server{answer_all};
    for (const auto* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) {
        ::setenv(name, proxy.url("").c_str(), 1);
    }
    const auto answer = send(server);
    for (const auto* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) ::unsetenv(name);
    EXPECT_EQ(answer.transport, Transport::answered);
    EXPECT_EQ(proxy.connections(), 0);
    EXPECT_EQ(server.connections(), 1);
}

TEST_P(EitherHttpTest, AnAnswerThatDoesNotComeInTimeIsInDoubt) {
    options.timeout = std::chrono::milliseconds{200};
    HttpServer server{[](Line& line, int) {
        if (line.read_request()) line.wait_for_close();
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::in_doubt);
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_P(EitherHttpTest, ManyAtOnceShareFewConnectionsAndAreAnsweredOnceEach) {
    constexpr int count = 200;
    HttpServer server{answer_all};
    std::vector<HttpRequest> requests;
    for (int i = 0; i < count; ++i)
        requests.push_back({server.url(), {}, fmt::format("body-{}", i)});
    std::vector<std::vector<std::string>> answers(count);
    int open = count;
    bool inside_start = true;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        http().start(requests[i], [&, i](const HttpAnswer& answer) {
            EXPECT_FALSE(inside_start) << "done is never called from inside start()";
            EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
            answers[i].push_back(answer.body);
            if (--open == 0) context.stop();
        });
    }
    inside_start = false;
    EXPECT_EQ(http().in_flight(), std::size_t{count});
    context.run();
    for (std::size_t i = 0; i < answers.size(); ++i) {
        EXPECT_THAT(answers[i], ::testing::ElementsAre(requests[i].body));
    }
    EXPECT_EQ(http().in_flight(), 0U);
    EXPECT_THAT(server.requests(), SizeIs(count));
    EXPECT_LE(server.connections(), 8);
}

TEST_P(EitherHttpTest, EndingTheClientTellsWhatBecameOfOpenExchanges) {
    std::promise<void> arrived;
    HttpServer server{[&](Line& line, int) {
        if (!line.read_request()) return;
        arrived.set_value();
        line.wait_for_close();
    }};
    std::vector<Transport> fates;
    const HttpRequest written{server.url(), {}, "written"};
    http().start(written, [&](const HttpAnswer& answer) { fates.push_back(answer.transport); });
    auto there = arrived.get_future();
    while (there.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
        context.restart();
        context.run_one_for(std::chrono::milliseconds{10});
    }
    const HttpRequest waiting{server.url(), {}, "waiting"};
    http().start(waiting, [&](const HttpAnswer& answer) { fates.push_back(answer.transport); });
    client.reset();
    EXPECT_THAT(fates, ::testing::UnorderedElementsAre(Transport::in_doubt, Transport::not_sent));
    context.restart();
    context.poll();
    EXPECT_THAT(fates, SizeIs(2)) << "each is told once";
}

}  // namespace
}  // namespace fanfare
