// What the client of HTTP/1.1 on Asio does beyond what either engine promises: kept connections,
// answers that come at the wrong time, and when nothing was sent.
#include "core/http/h1_client.hpp"
#include "tests/unit/core/http_case.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using test::answer_all;
using test::HttpServer;
using test::HttpTest;
using test::Line;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

/// The machine's clock, as far ahead as a test says, or standing.
class ClockAhead final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override { return system_clock().now(); }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return stands.value_or(system_clock().steady_now()) + ahead;
    }
    std::optional<SteadyTime> stands;
    std::chrono::milliseconds ahead{0};
};

class H1ClientTest : public HttpTest {
protected:
    [[nodiscard]] std::unique_ptr<HttpClient> make_client() override {
        return make_h1_client(context.get_executor(), options, clock);
    }
    void TearDown() override {
        client.reset();
        if (!options.ca_file.empty()) std::filesystem::remove(options.ca_file);
    }
    void trust(const std::string& certificate) {
        options.allow_http = false;
        options.ca_file = std::filesystem::temp_directory_path() /
                          fmt::format("fanfare-h1-test-{}.pem", ::getpid());
        std::ofstream{options.ca_file} << certificate;
    }
    /// All at the same time, by the clock too; their answers, in the same order.
    std::vector<HttpAnswer> send_all(const std::vector<HttpRequest>& requests) {
        std::vector<HttpAnswer> answers(requests.size());
        auto open = requests.size();
        clock.stands = system_clock().steady_now();
        for (std::size_t i = 0; i < requests.size(); ++i) {
            http().start(requests[i], [&, i](const HttpAnswer& answer) {
                answers[i] = answer;
                if (--open == 0) context.stop();
            });
        }
        clock.stands.reset();
        context.restart();
        context.run();
        return answers;
    }

    ClockAhead clock;
};

TEST_F(H1ClientTest, AKeptConnectionThatTheServerHasEndedTakesNoRequest) {
    std::promise<void> closed;
    HttpServer server{[&](Line& line, int connection) {
        if (connection > 0) return answer_all(line, connection);
        if (line.read_request()) line.write(HttpServer::answer(200, "one"));
        line.close();
        closed.set_value();
    }};
    ASSERT_EQ(send(server, "one").body, "one");
    closed.get_future().wait();  // The loop does not run: only the kernel knows.
    const auto answer = send(server, "two");
    EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
    EXPECT_EQ(answer.body, "two");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(H1ClientTest, WhatTheServerSaysUnaskedIsNobodysAnswer) {
    std::promise<void> said;
    HttpServer server{[&](Line& line, int connection) {
        if (connection > 0) return answer_all(line, connection);
        if (line.read_request()) line.write(HttpServer::answer(200, "one"));
        line.write(HttpServer::answer(200, "unasked"));
        said.set_value();
        line.wait_for_close();
    }};
    ASSERT_EQ(send(server, "one").body, "one");
    said.get_future().wait();
    EXPECT_EQ(send(server, "two").body, "two");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(H1ClientTest, AnAnswerThatComesTooLateIsNobodys) {
    options.timeout = std::chrono::milliseconds{300};
    std::promise<void> late;
    auto is_late = late.get_future();
    HttpServer server{[&](Line& line, int connection) {
        if (connection > 0) return answer_all(line, connection);
        if (!line.read_request()) return;
        is_late.wait();
        line.write(HttpServer::answer(200, "late"));
        line.wait_for_close();
    }};
    const auto first = send(server, "one");
    late.set_value();
    EXPECT_EQ(first.transport, Transport::in_doubt) << first.fault;
    EXPECT_EQ(send(server, "two").body, "two");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(H1ClientTest, AConnectionThatWasIdleForLongIsNotUsedAgain) {
    HttpServer server{answer_all};
    ASSERT_EQ(send(server, "one").body, "one");
    clock.ahead = std::chrono::seconds{19};
    ASSERT_EQ(send(server, "two").body, "two");
    EXPECT_EQ(server.connections(), 1);
    clock.ahead += std::chrono::seconds{20};
    EXPECT_EQ(send(server, "three").body, "three");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(H1ClientTest, InterimAnswersArePassedOver) {
    HttpServer server{[](Line& line, int) {
        while (const auto request = line.read_request()) {
            line.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n");
            line.write(HttpServer::answer(201, test::body_of(*request)));
        }
    }};
    for (const std::string body : {"one", "two"}) {
        const auto answer = send(server, body);
        EXPECT_EQ(answer.status, 201);
        EXPECT_EQ(answer.body, body);
    }
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(H1ClientTest, AnAnswerBeforeTheEndOfTheRequestIsAnAnswerAndTheLastOne) {
    HttpServer server{[](Line& line, int connection) {
        if (connection > 0) return answer_all(line, connection);
        if (!line.read_bytes(500'000)) return;
        line.write(HttpServer::answer(413, "too large"));
        line.wait_for_close();
    }};
    const auto answer = send(server, std::string(40'000'000, 'x'));
    EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(send(server, "two").body, "two");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(H1ClientTest, WhoWaitsForAConnectionTooLongWasNotSent) {
    options.timeout = std::chrono::milliseconds{300};
    options.connections_max = 1;
    HttpServer server{[](Line& line, int) {
        if (line.read_request()) line.wait_for_close();
    }};
    const std::vector<HttpRequest> requests(3, {server.url(), {}, "x"});
    const auto answers = send_all(requests);
    EXPECT_EQ(answers[0].transport, Transport::in_doubt);
    EXPECT_EQ(answers[1].transport, Transport::not_sent);
    EXPECT_EQ(answers[2].transport, Transport::not_sent);
    EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_F(H1ClientTest, NoHeaderBeginsALineOfItsOwn) {
    HttpServer server{answer_all};
    const HttpRequest request{server.url(), {"X-Name: a\r\nX-Other: b", "Accept: text/x"}, "x"};
    ASSERT_EQ(send(request).status, 200);
    const auto seen = server.requests().front();
    EXPECT_THAT(seen, HasSubstr("\r\nX-Name: a  X-Other: b\r\n"));
    EXPECT_THAT(seen, HasSubstr("\r\nAccept: text/x\r\n"));
    EXPECT_THAT(seen, Not(HasSubstr("*/*")));
    EXPECT_THAT(seen, HasSubstr(fmt::format("\r\nHost: 127.0.0.1:{}\r\n", server.port())));
}

TEST_F(H1ClientTest, KeepsConnectionsWithTlsAndSendsLargeBodiesWhole) {
    const auto own = test::make_certificate("IP:127.0.0.1");
    HttpServer server{answer_all, own.certificate, own.key};
    trust(own.certificate);
    std::string body(900'000, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    for (int i = 0; i < 3; ++i) {
        const auto answer = send(server, body);
        ASSERT_EQ(answer.transport, Transport::answered) << answer.fault;
        EXPECT_EQ(answer.body, body);
    }
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(H1ClientTest, SpeaksNoOtherProtocolBehindTls) {
    const auto own = test::make_certificate("IP:127.0.0.1");
    HttpServer server{answer_all, own.certificate, own.key, "http/1.1"};
    trust(own.certificate);
    EXPECT_EQ(send(server, "one").body, "one");
}

TEST_F(H1ClientTest, AnAnswerThatOnlyTheConnectionEndsIsWholeWhereNobodyCanHaveCutIt) {
    const auto script = [](Line& line, int) {
        if (!line.read_request()) return;
        line.write("HTTP/1.1 200 OK\r\n\r\nuntil the end");
        line.close();  // TCP's end, without TLS's word.
    };
    HttpServer plain{script};
    const auto whole = send(plain);
    EXPECT_EQ(whole.transport, Transport::answered) << whole.fault;
    EXPECT_EQ(whole.body, "until the end");

    const auto own = test::make_certificate("IP:127.0.0.1");
    HttpServer tls{script, own.certificate, own.key};
    trust(own.certificate);
    client.reset();
    EXPECT_EQ(send(tls).transport, Transport::in_doubt);
}

TEST_F(H1ClientTest, AnAnswerThatOnlyAResetEndsIsCut) {
    HttpServer server{[](Line& line, int) {
        if (!line.read_request()) return;
        line.write("HTTP/1.1 200 OK\r\n\r\nuntil the");
        line.reset();
    }};
    EXPECT_EQ(send(server).transport, Transport::in_doubt);
}

TEST_F(H1ClientTest, AServerThatWasAwayIsAskedAgainByTheNextRequest) {
    auto server = std::make_unique<HttpServer>(answer_all);
    const HttpRequest request{server->url(), {}, "x"};
    ASSERT_EQ(send(request).body, "x");
    server.reset();
    EXPECT_EQ(send(request).transport, Transport::not_sent);
    EXPECT_EQ(http().in_flight(), 0U);
}

TEST_F(H1ClientTest, AMailIsNotSent) {
    HttpServer server{answer_all};
    HttpRequest request{server.url(), {}, "x"};
    request.mail.emplace();
    EXPECT_EQ(send(request).transport, Transport::not_sent);
    EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace fanfare
