// What only our own engine of HTTP/2 knows: who was sent and who was not, exactly; and how it
// treats its connections.
#include "tests/unit/core/http2_case.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::echo_all;
using test::H2Line;
using test::H2Server;
using test::HttpServer;
using test::Line;
using ::testing::Each;
using ::testing::HasSubstr;

class H2FatesTest : public test::Http2Case {
protected:
    static std::vector<Transport> fates(const std::vector<HttpAnswer>& answers) {
        std::vector<Transport> out;
        for (const auto& answer : answers) out.push_back(answer.transport);
        return out;
    }
};

TEST_F(H2FatesTest, AGoAwayTellsWhoWasNotSentAndTheOthersAreStillAnswered) {
    std::atomic<int> requests{0};
    H2Server server{[&](H2Line& line, int connection) {
        if (connection > 0) return echo_all(line, connection);
        std::vector<std::uint32_t> streams;
        while (streams.size() < 10) {
            const auto request = line.read_request();
            if (!request) return;
            ++requests;
            streams.push_back(request->stream);
        }
        line.go_away(streams[5], NGHTTP2_NO_ERROR);
        for (std::size_t i = 0; i < 4; ++i) line.answer(streams[i], 200, "");
        line.line().close();
    }};
    options.connections_max = 1;
    const auto answers = send_many(server, 10);
    EXPECT_THAT(fates(answers), ::testing::ElementsAre(Transport::answered, Transport::answered,
                                                       Transport::answered, Transport::answered,
                                                       Transport::in_doubt, Transport::in_doubt,
                                                       Transport::not_sent, Transport::not_sent,
                                                       Transport::not_sent, Transport::not_sent))
        << "up to the last stream of the GOAWAY they may have been read, above not";
    EXPECT_EQ(requests, 10);
    EXPECT_EQ(send(server, "on").body, "on") << "the client goes on, on another connection";
    EXPECT_EQ(server.server.connections(), 2);
}

TEST_F(H2FatesTest, WhoWaitsWhenTheServerLeavesGoesToAnotherConnection) {
    H2Server server{[&](H2Line& line, int connection) {
                        if (connection > 0) return echo_all(line, connection);
                        const auto request = line.read_request();
                        if (!request) return;
                        line.go_away(request->stream, NGHTTP2_NO_ERROR);
                        line.answer(request->stream, 200, request->body);
                        line.wait_for_close();
                    },
                    {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}}};
    options.connections_max = 1;
    const auto answers = send_many(server, 20);
    EXPECT_THAT(fates(answers), Each(Transport::answered));
    EXPECT_EQ(server.server.connections(), 2);
}

TEST_F(H2FatesTest, ARefusedStreamWasNotSentAndIsNotSentAgain) {
    std::atomic<int> requests{0};
    H2Server server{[&](H2Line& line, int) {
        while (const auto request = line.read_request()) {
            ++requests;
            line.reset(request->stream, NGHTTP2_REFUSED_STREAM);
        }
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, Transport::not_sent);
    EXPECT_THAT(answer.fault, HasSubstr("REFUSED_STREAM"));
    EXPECT_EQ(requests, 1) << "whether to try again is the caller's to decide";
}

TEST_F(H2FatesTest, AServerThatDoesNotChooseHttp2IsSentNothing) {
    const auto own = test::make_certificate("IP:127.0.0.1");
    for (const auto* protocol : {"", "http/1.1"}) {
        HttpServer server{test::answer_all, own.certificate, own.key, protocol};
        options.ca_file = ca_file();
        std::ofstream{options.ca_file} << own.certificate;
        const HttpRequest request{.url = server.url(), .headers = {}, .body = "x", .http2 = true};
        const auto answer = send(request);
        EXPECT_EQ(answer.transport, Transport::not_sent);
        EXPECT_THAT(answer.fault, HasSubstr("HTTP/2"));
        EXPECT_TRUE(server.requests().empty());
    }
}

TEST_F(H2FatesTest, PlainHttp2GoesToLoopbackWhereItIsAllowed) {
    HttpServer server{[](Line& raw, int connection) {
        H2Line line{raw};
        if (line.shake_hands()) echo_all(line, connection);
    }};
    HttpRequest request{.url = server.url(), .headers = {}, .body = "plain", .http2 = true};
    EXPECT_EQ(send(request).transport, Transport::not_sent);
    EXPECT_EQ(server.connections(), 0);
    client.reset();
    options.allow_http = true;
    EXPECT_EQ(send(request).body, "plain");
    request.url = "http://192.0.2.1:80/";
    const auto answer = send(request);
    EXPECT_EQ(answer.transport, Transport::not_sent);
    EXPECT_THAT(answer.fault, HasSubstr("loopback only"));
}

TEST_F(H2FatesTest, AMailIsNotSent) {
    HttpRequest request{.url = "https://127.0.0.1:1/", .headers = {}, .body = "x"};
    request.mail.emplace();
    EXPECT_EQ(send(request).transport, Transport::not_sent);
}

TEST_F(H2FatesTest, ConnectionRefusedMeansNotSentForAllWhoWait) {
    std::uint16_t port = 0;
    {
        const HttpServer gone{test::answer_all};
        port = gone.port();
    }
    options.allow_http = true;
    const HttpRequest request{
        .url = fmt::format("http://127.0.0.1:{}/", port), .headers = {}, .body = "x"};
    const auto answers = send_all({request, request, request});
    EXPECT_THAT(fates(answers), Each(Transport::not_sent));
    EXPECT_THAT(answers[0].fault, HasSubstr("refused"));
}

TEST_F(H2FatesTest, ConnectionsAreAsManyAsStreamsNeed) {
    std::atomic<std::size_t> most{0};
    H2Server server{[&](H2Line& line, int) {
                        while (const auto request = line.read_request()) {
                            most = std::max(most.load(), line.most_open());
                            line.answer(request->stream, 200, request->body);
                        }
                    },
                    {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10}}};
    options.connections_max = 3;
    EXPECT_THAT(fates(send_many(server, 200)), Each(Transport::answered));
    EXPECT_LE(server.server.connections(), 3);
    EXPECT_LE(most, 10U);
}

TEST_F(H2FatesTest, AServerThatAllowsOneStreamAtFirstIsObeyed) {
    // As APNs does until the first token was good.
    std::atomic<std::size_t> early{0};
    H2Server server{[&](H2Line& line, int) {
                        const auto first = line.read_request();
                        if (!first) return;
                        early = line.most_open();
                        using namespace std::string_literals;
                        line.write_frame(NGHTTP2_SETTINGS, 0, 0,
                                         "\0\x3"s + test::four_bytes(1'000));
                        line.answer(first->stream, 200, "");
                        echo_all(line, 0);
                    },
                    {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}}};
    options.connections_max = 1;
    EXPECT_THAT(fates(send_many(server, 50)), Each(Transport::answered));
    EXPECT_EQ(early, 1U);
}

TEST_F(H2FatesTest, ASilentServerIsAskedAndThenGetsNoFurtherRequest) {
    std::atomic<bool> arrived{false};
    std::atomic<int> pings{0};
    H2Server server{[&](H2Line& line, int connection) {
        if (connection > 0) return echo_all(line, connection);
        if (line.read_request() && line.wait_for_reader()) arrived = true;
        // It answers no ping: its frames are read raw from here on.
        while (const auto head = line.line().read(9)) {
            if ((*head)[3] == NGHTTP2_PING) ++pings;
            if (!line.line().read(static_cast<unsigned char>((*head)[2]))) return;
        }
    }};
    trust(server);
    const auto request = request_to(server);
    options.connections_max = 1;
    std::optional<HttpAnswer> answer;
    http().start(request, [&](HttpAnswer got) { answer = std::move(got); });
    run_until([&] { return arrived.load(); });
    clock.ahead += 6s;  // Of a timeout of 20.
    run_until([&] { return pings > 0; });
    clock.ahead += 6s;
    EXPECT_EQ(send(server, "on").body, "on");
    EXPECT_FALSE(answer) << "it may still be answered: its time is not over";
    clock.ahead += 8s;
    run_until([&] { return answer.has_value(); });
    EXPECT_EQ(answer->transport, Transport::in_doubt);
    EXPECT_EQ(server.server.connections(), 2);
}

TEST_F(H2FatesTest, AServerThatReadsNothingMoreGetsNoFurtherRequest) {
    std::atomic<int> words{0};
    std::atomic<bool> done{false};
    H2Server server{[&](H2Line& line, int connection) {
                        if (connection > 0) return echo_all(line, connection);
                        line.write_frame(NGHTTP2_WINDOW_UPDATE, 0, 0,
                                         test::four_bytes(0x7000'0000));
                        for (int said = 0; !done; std::this_thread::yield()) {
                            if (said == words) continue;
                            line.write_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, test::four_bytes(1));
                            ++said;
                        }
                    },
                    {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7000'0000}}};
    trust(server);
    options.connections_max = 1;
    const auto large = request_to(server, std::string(40'000'000, 'x'));
    std::optional<HttpAnswer> answer;
    http().start(large, [&](HttpAnswer got) { answer = std::move(got); });
    // It says a word every second: it is never silent.
    for (int i = 0; i < 300; ++i, clock.ahead += 50ms) {
        if (i % 20 == 0) ++words;
        context.restart();
        context.run_one_for(1ms);
    }
    EXPECT_EQ(send(server, "on").body, "on");
    EXPECT_FALSE(answer) << "its time is not over";
    done = true;
    clock.ahead += 20s;
    run_until([&] { return answer.has_value(); });
    EXPECT_EQ(answer->transport, Transport::not_sent) << answer->fault;
}

TEST_F(H2FatesTest, ASlowServerThatAnswersPingsIsWaitedFor) {
    std::atomic<bool> arrived{false};
    std::atomic<int> pings{0};
    H2Server server{[&](H2Line& line, int) {
        const auto request = line.read_request();
        if (!request) return;
        if (line.wait_for_reader()) arrived = true;
        while (pings < 2) {
            const auto frame = line.read_frame();
            if (!frame) return;
            if (frame->type == NGHTTP2_PING && line.wait_for_reader()) ++pings;
        }
        line.answer(request->stream, 200, "late");
        line.wait_for_close();
    }};
    trust(server);
    const auto request = request_to(server);
    std::optional<HttpAnswer> answer;
    http().start(request, [&](HttpAnswer got) { answer = std::move(got); });
    run_until([&] { return arrived.load(); });
    clock.ahead += 6s;
    run_until([&] { return pings > 0; });
    clock.ahead += 6s;
    run_until([&] { return answer.has_value(); });
    EXPECT_EQ(answer->body, "late") << answer->fault;
}

TEST_F(H2FatesTest, AnIdleConnectionShowsThatItLivesBeforeItTakesARequest) {
    std::atomic<int> pings{0};
    std::vector<std::string> order;
    H2Server server{[&](H2Line& line, int) {
        while (const auto frame = line.read_frame()) {
            if (frame->type == NGHTTP2_PING) ++pings;
            if (frame->type == NGHTTP2_DATA && frame->flags == NGHTTP2_FLAG_END_STREAM) {
                line.answer(frame->stream, 200, fmt::format("pings {}", pings.load()));
            }
        }
    }};
    EXPECT_EQ(send(server).body, "pings 0");
    clock.ahead += 30s;
    EXPECT_EQ(send(server).body, "pings 1") << "the request came after the PING";
    EXPECT_EQ(send(server).body, "pings 1");
    EXPECT_EQ(server.server.connections(), 1);
}

TEST_F(H2FatesTest, AnIdleConnectionThatIsDeadTakesNoRequest) {
    std::atomic<int> lost{0};
    std::atomic<bool> asked{false};
    H2Server server{[&](H2Line& line, int connection) {
        if (connection > 0) return echo_all(line, connection);
        const auto first = line.read_request();
        if (!first) return;
        line.answer(first->stream, 200, "first");
        while (const auto head = line.line().read(9)) {
            if ((*head)[3] == NGHTTP2_PING) asked = true;
            if ((*head)[3] == NGHTTP2_HEADERS) ++lost;
            if (!line.line().read(static_cast<unsigned char>((*head)[2]))) return;
        }
    }};
    EXPECT_EQ(send(server).body, "first");
    clock.ahead += 30s;
    const auto request = request_to(server, "second");
    std::optional<HttpAnswer> answer;
    http().start(request, [&](HttpAnswer got) { answer = std::move(got); });
    run_until([&] { return asked.load(); });
    clock.ahead += 2s;
    run_until([&] { return answer.has_value(); });
    EXPECT_EQ(answer->body, "second") << answer->fault;
    EXPECT_EQ(lost, 0);
    EXPECT_EQ(server.server.connections(), 2);
}

TEST_F(H2FatesTest, AServerThatNeverSettlesIsSentNothing) {
    options.timeout = 400ms;
    const auto own = test::make_certificate("IP:127.0.0.1");
    HttpServer server{[](Line& line, int) { line.wait_for_close(); }, own.certificate, own.key,
                      "h2"};
    options.ca_file = ca_file();
    std::ofstream{options.ca_file} << own.certificate;
    const HttpRequest request{.url = server.url(), .headers = {}, .body = "x", .http2 = true};
    EXPECT_EQ(send(request).transport, Transport::not_sent);
}

TEST_F(H2FatesTest, TheClientMayEndInsideAnAnswer) {
    H2Server server{echo_all};
    trust(server);
    const auto request = request_to(server);
    int told = 0;
    for (int i = 0; i < 5; ++i) {
        http().start(request, [&](const HttpAnswer&) {
            ++told;
            client.reset();
        });
    }
    run_until([&] { return told == 5; });
    context.restart();
    context.poll();
    EXPECT_EQ(told, 5);
}

TEST_F(H2FatesTest, TheClientMayEndInsideTheNewsOfALostConnection) {
    H2Server server{[](H2Line& line, int) {
        if (line.read_request()) line.line().reset();
    }};
    trust(server);
    const auto request = request_to(server);
    std::vector<Transport> told;
    for (int i = 0; i < 5; ++i) {
        http().start(request, [&](const HttpAnswer& answer) {
            told.push_back(answer.transport);
            client.reset();
        });
    }
    run_until([&] { return told.size() == 5; });
    context.restart();
    context.poll();
    EXPECT_THAT(told, ::testing::SizeIs(5));
}

TEST_F(H2FatesTest, WhoBeginsWhileTheClientEndsIsToldThatNothingWasSent) {
    H2Server server{[](H2Line& line, int) { line.wait_for_close(); }};
    trust(server);
    const auto request = request_to(server);
    std::vector<Transport> told;
    auto owned = make_client();
    auto* const ending = owned.get();
    ending->start(request, [&](const HttpAnswer& first) {
        told.push_back(first.transport);
        ending->start(request, [&](const HttpAnswer& second) { told.push_back(second.transport); });
    });
    owned.reset();
    EXPECT_THAT(told, ::testing::ElementsAre(Transport::not_sent, Transport::not_sent));
}

}  // namespace
}  // namespace fanfare
