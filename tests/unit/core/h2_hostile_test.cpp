// Servers of HTTP/2 that mean harm: whatever they send, exchanges end, memory is bounded, and the
// client goes on.
#include "tests/unit/core/http2_case.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::echo_all;
using test::four_bytes;
using test::H2Line;
using test::H2Request;
using test::H2Server;
using test::header_block;

struct Harm {
    const char* name;
    std::function<void(H2Line&, const H2Request&)> done;
    Transport expected = Transport::in_doubt;  // It had the request.
    friend void PrintTo(const Harm& harm, std::ostream* out) { *out << harm.name; }
};

/// Frames of one kind until the client is gone, or that many.
void flood(H2Line& line, int count, std::uint8_t type, std::uint32_t stream,
           std::string_view payload) {
    for (int i = 0; i < count; ++i) line.write_frame(type, 0, stream, payload);
    line.wait_for_close();
}

void send_endless_headers(H2Line& line, const H2Request& request) {
    line.write_frame(NGHTTP2_HEADERS, 0, request.stream, header_block({{":status", "200"}}));
    const auto more = header_block({{"x-more", std::string(1'000, 'x')}});
    flood(line, 5'000, NGHTTP2_CONTINUATION, request.stream, more);
}

void send_empty_continuations(H2Line& line, const H2Request& request) {
    line.write_frame(NGHTTP2_HEADERS, 0, request.stream, header_block({{":status", "200"}}));
    flood(line, 50'000, NGHTTP2_CONTINUATION, request.stream, {});
}

/// One entry of HPACK's table, named a thousand times by a byte each.
void send_header_bomb(H2Line& line, const H2Request& request) {
    std::string block = header_block({{":status", "200"}});
    std::string entry{"\x40\x01x\x7f", 4};
    entry.push_back(static_cast<char>((4'000 - 127) % 128 + 128));
    entry.push_back(static_cast<char>((4'000 - 127) / 128));
    block += entry + std::string(4'000, 'y') + std::string(8'000, static_cast<char>(0x80 | 62));
    line.write_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                     request.stream, block);
    line.wait_for_close();
}

void send_interim_answers(H2Line& line, const H2Request& request) {
    for (int i = 0; i < 20'000; ++i) line.write_headers(request.stream, 103, {}, false);
    line.wait_for_close();
}

void send_pushes(H2Line& line, const H2Request& request) {
    line.write_frame(NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, request.stream,
                     four_bytes(2) + header_block({{":method", "GET"}}));
    line.wait_for_close();
}

const std::vector<Harm> harms{
    {"EndlessHeaders", send_endless_headers},
    {"EmptyContinuations", send_empty_continuations},
    {"HeaderBomb", send_header_bomb},
    {"InterimAnswers", send_interim_answers},
    {"Pushes", send_pushes},
    {"Pings",
     [](H2Line& line, const H2Request&) { flood(line, 50'000, NGHTTP2_PING, 0, "8 bytes."); }},
    {"Settings",
     [](H2Line& line, const H2Request&) { flood(line, 50'000, NGHTTP2_SETTINGS, 0, {}); }},
    {"EmptyData",
     [](H2Line& line, const H2Request& request) {
         line.write_headers(request.stream, 200, {}, false);
         flood(line, 50'000, NGHTTP2_DATA, request.stream, {});
     }},
    {"OneByteOfBodyAtATime",
     [](H2Line& line, const H2Request& request) {
         line.write_headers(request.stream, 200, {}, false);
         flood(line, 50'000, NGHTTP2_DATA, request.stream, "x");
     }},
    {"BodyBeyondTheWindow",
     [](H2Line& line, const H2Request& request) {
         line.write_headers(request.stream, 200, {}, false);
         flood(line, 200, NGHTTP2_DATA, request.stream, std::string(16'000, 'x'));
     }},
    {"BodyBeforeHeaders",
     [](H2Line& line, const H2Request& request) {
         line.write_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, request.stream, "{}");
         line.wait_for_close();
     }},
    {"AnswerWithoutStatus",
     [](H2Line& line, const H2Request& request) {
         line.write_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                          request.stream, header_block({{"x-a", "b"}}));
         line.wait_for_close();
     }},
    {"StreamsThatNobodyOpened",
     [](H2Line& line, const H2Request&) {
         for (std::uint32_t stream = 101; stream < 1'101; stream += 2) {
             line.write_headers(stream, 200, {}, true);
         }
         line.wait_for_close();
     }},
    {"WindowOverflow",
     [](H2Line& line, const H2Request& request) {
         flood(line, 3, NGHTTP2_WINDOW_UPDATE, request.stream, four_bytes(0x7fff'ffff));
     }},
    {"FramesTooLarge",
     [](H2Line& line, const H2Request& request) {
         line.write_frame(NGHTTP2_DATA, 0, request.stream, std::string(1 << 20, 'x'));
         line.wait_for_close();
     }},
    {"Nonsense",
     [](H2Line& line, const H2Request&) {
         line.line().write("HTTP/1.1 200 OK\r\n\r\n");
         line.wait_for_close();
     }},
    {"UnknownFrames",
     [](H2Line& line, const H2Request&) { flood(line, 50'000, 0xee, 0, std::string(100, 'x')); }},
};

class HostileServerTest : public test::Http2Case, public ::testing::WithParamInterface<Harm> {};

TEST_P(HostileServerTest, HarmsNothing) {
    options.timeout = 2s;
    std::atomic<int> requests{0};
    H2Server server{[&](H2Line& line, int connection) {
        if (connection > 0) return echo_all(line, connection);
        const auto request = line.read_request();
        if (!request) return;
        ++requests;
        GetParam().done(line, *request);
    }};
    const auto answer = send(server);
    EXPECT_EQ(answer.transport, GetParam().expected) << answer.fault << answer.status;
    EXPECT_EQ(requests, 1);
    // Its connection may live on and be used again: then it does its worst to the next, too.
    client.reset();
    EXPECT_EQ(send(server, "on").body, "on");
}

INSTANTIATE_TEST_SUITE_P(Harms, HostileServerTest, ::testing::ValuesIn(harms),
                         [](const auto& each) { return std::string{each.param.name}; });

using HostileTest = test::Http2Case;

TEST_F(HostileTest, RapidResetsEndEachOnce) {
    std::atomic<int> requests{0};
    H2Server server{[&](H2Line& line, int) {
        while (const auto request = line.read_request()) {
            ++requests;
            line.reset(request->stream, NGHTTP2_CANCEL);
        }
    }};
    options.connections_max = 1;
    const auto answers = send_many(server, 2'000);
    for (const auto& answer : answers) EXPECT_EQ(answer.transport, Transport::in_doubt);
    EXPECT_EQ(requests, 2'000);
}

TEST_F(HostileTest, AWindowThatNeverOpensSendsNothingWhole) {
    options.timeout = 500ms;
    H2Server server{[](H2Line& line, int) { line.wait_for_close(); },
                    {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}}};
    EXPECT_EQ(send(server).transport, Transport::not_sent);
}

TEST_F(HostileTest, AServerThatReadsNothingHoldsNobodyBeyondTheTimeout) {
    options.timeout = 800ms;
    std::atomic<bool> done{false};
    H2Server server{[&](H2Line&, int) {
        while (!done) std::this_thread::yield();
    }};
    const auto answer = send(server, std::string(40'000'000, 'x'));
    done = true;
    EXPECT_EQ(answer.transport, Transport::not_sent) << answer.fault;
}

TEST_F(HostileTest, ServersThatLeaveAtOnceAreNotDialledForEver) {
    H2Server server{[](H2Line& line, int) {
        line.go_away(0, NGHTTP2_ENHANCE_YOUR_CALM);
        line.wait_for_close();
    }};
    options.connections_max = 2;
    const auto answers = send_many(server, 300);
    for (const auto& answer : answers) EXPECT_EQ(answer.transport, Transport::not_sent);
    EXPECT_LE(server.server.connections(), 4);
}

TEST_F(HostileTest, AServerThatLeavesWithoutAWordIsNotDialledForEver) {
    const auto own = test::make_certificate("IP:127.0.0.1");
    test::HttpServer server{[](test::Line& line, int) { line.reset(); }, own.certificate, own.key,
                            "h2"};
    options.ca_file = ca_file();
    std::ofstream{options.ca_file} << own.certificate;
    options.connections_max = 2;
    const HttpRequest request{.url = server.url(), .headers = {}, .body = "x", .http2 = true};
    const auto answers = send_all(std::vector(300, request));
    for (const auto& answer : answers) EXPECT_EQ(answer.transport, Transport::not_sent);
    EXPECT_LE(server.connections(), 4);
}

TEST_F(HostileTest, AServerThatLeavesAfterItsSettingsCostsAConnectionForAllWhoLeftWithIt) {
    H2Server server{[](H2Line& line, int) { line.line().reset(); }};
    options.connections_max = 1;
    const auto answers = send_many(server, 300);
    for (const auto& answer : answers) EXPECT_NE(answer.transport, Transport::answered);
    EXPECT_LE(server.server.connections(), 4) << "a hundred go with each, or all are told";
}

}  // namespace
}  // namespace fanfare
