// What strangers may try on the server's bytes and on its connections.
#include "core/web/text.hpp"
#include "server_case.hpp"

#include <algorithm>
#include <deque>
#include <thread>

namespace fanfare::testing {
namespace {

using Client = RawClient;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Whatever does not end ends, and the connection behind it.
TEST_F(WebServerTest, NothingEndlessIsKept) {
    settings.body_max = 2'048;
    const auto port = start();
    const std::string post = "POST /echo/a HTTP/1.1\r\nHost: x\r\n";
    const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
    struct Attack {
        std::string start;
        std::string more;
        int status;
        std::string code;
    };
    for (const auto& [begin, more, status, code] :
         std::vector<Attack>{{"GET /", "x", 414, "target_too_long"},
                             {"", "x", 414, "target_too_long"},
                             {"", "\r\n", 431, "header_too_large"},
                             {post + "X: ", "x", 431, "header_too_large"},
                             {post, "X: y\r\n", 431, "header_too_large"},
                             {chunked + "1;", "x", 400, "malformed_request"},
                             {chunked + "1;a=\"", "x", 400, "malformed_request"},
                             {chunked + "1", " ", 400, "malformed_request"},
                             {chunked, "0", 400, "malformed_request"},
                             {chunked, "1;xxxxxxxxxxxxxxxx\r\ny\r\n", 400, "malformed_request"},
                             {chunked + "0\r\nX: ", "x", 431, "header_too_large"},
                             {chunked + "0\r\n", "X: y\r\n", 431, "header_too_large"},
                             {chunked, "f\r\n0123456789abcde\r\n", 413, "too_large"},
                             {chunked + "ffffffffffffffff\r\n", "x", 413, "too_large"}}) {
        Client client{port};
        client.write(begin);
        std::string block;
        while (block.size() < 8'192) block += more;
        std::size_t sent = 0;
        while (sent < 16U << 20 && client.write(block)) sent += block.size();
        EXPECT_LT(sent, 16U << 20) << begin.substr(0, 40) << more;
        Client again{port};
        again.write(begin);
        for (int i = 0; i < 4; ++i) again.write(block);
        expect_problem(again.read(), status, code);
        EXPECT_TRUE(again.is_closed());
    }
}

/// Nobody between two requests of one connection, whatever stands before it took for their end.
TEST_F(WebServerTest, SmugglesNothing) {
    const auto port = start();
    const std::string hidden = "GET /echo/hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const std::string fields :
         {"Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
          "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked, x\r\n",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "Content-Length: 0, 4\r\n",
          "Content-Length: 0\r\nContent-Length: 4\r\n", "Content-Length : 4\r\n",
          "Content-Length: +4\r\n", "X: y\r\n Content-Length: 4\r\n", "X: y\nContent-Length: 4\r\n",
          "X: y\rContent-Length: 4\r\n", "Host: y\r\n",
          "Transfer-Encoding:\x0b"
          "chunked\r\n"}) {
        Client client{port};
        client.write("POST /echo/a HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n0\r\n\r\n" + hidden);
        const auto answer = client.read();
        EXPECT_THAT(answer,
                    ::testing::AnyOf(StartsWith("HTTP/1.1 400 "), StartsWith("HTTP/1.1 501 ")))
            << fields;
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << fields;
        EXPECT_TRUE(client.is_closed()) << fields;
    }
    Client absolute{port};
    EXPECT_THAT(absolute.ask("GET http://other/echo/abs?q HTTP/1.1\r\nHost: x\r\n\r\n"),
                HasSubstr("GET abs q"));
}

TEST_F(WebServerTest, WhoIsQuietLongestMakesRoom) {
    settings.connections_max = 3;
    const auto port = start();
    Client first{port};
    Client second{port};
    EXPECT_THAT(first.ask(get), HasSubstr(" 200 "));
    EXPECT_THAT(second.ask(get), HasSubstr(" 200 "));
    Client busy{port};
    busy.write("GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
    while (waiting == 0) std::this_thread::yield();
    EXPECT_THAT(first.ask(get), HasSubstr(" 200 "));
    Client third{port};
    EXPECT_THAT(third.ask(get), HasSubstr(" 200 "));
    EXPECT_TRUE(second.is_closed());
    EXPECT_THAT(first.ask(get), HasSubstr(" 200 ")) << "second was quiet longer";
    go_on = true;
    EXPECT_THAT(busy.read(), HasSubstr(" 200 "));
    EXPECT_EQ(counted("fanfare_http_connections_cut_total", "made_room"), 1);
}

TEST_F(WebServerTest, IdleConnectionsKeepNobodyOut) {
    settings.connections_max = 20;
    const auto port = start();
    std::deque<Client> idle;
    for (int i = 0; i < 100; ++i) {
        idle.emplace_back(port);
        if (i % 4 == 1) idle.back().write("GET /echo");
        if (i % 4 == 2)
            idle.back().write("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
        if (i % 4 == 3)
            idle.back().write("POST /guarded HTTP/1.1\r\nHost: x\r\ntoken: bad\r\n\r\n");
    }
    for (int i = 0; i < 10; ++i) {
        EXPECT_THAT(Client{port}.ask(get), HasSubstr(" 200 "));
    }
    idle.clear();
}

TEST_F(WebServerTest, APeerHasAShare) {
    settings.connections_max = 20;
    settings.connections_per_peer = 2;
    const auto port = start();
    Client other{port, "127.0.0.2"};
    EXPECT_THAT(other.ask(get), HasSubstr(" 200 "));
    std::deque<Client> greedy;
    for (int i = 0; i < 10; ++i)
        EXPECT_THAT(greedy.emplace_back(port).ask(get), HasSubstr(" 200 "));
    EXPECT_TRUE(greedy[7].is_closed());
    EXPECT_THAT(greedy[8].ask(get), HasSubstr(" 200 "));
    EXPECT_THAT(other.ask(get), HasSubstr(" 200 "));
    for (auto& each : {&greedy[8], &greedy[9]}) {
        each->write("GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    while (waiting < 2) std::this_thread::yield();
    Client refused{port};
    EXPECT_EQ(refused.ask(get), "") << "all of its share is being served";
    EXPECT_THAT(other.ask(get), HasSubstr(" 200 "));
}

/// Two that may stand there once: a proxy before us may have looked at the other.
TEST_F(WebServerTest, AHeaderThatMayStandOnceStandsOnce) {
    const auto port = start();
    for (const std::string name :
         {"Authorization", "Content-Type", "Fanfare-Owner", "Idempotency-Key"}) {
        Client client{port};
        const auto twice = fmt::format("{}: a\r\n{}: a\r\n", name, lower(name));
        expect_problem(client.ask(posting("/echo/a", "x", twice)), 400, "malformed_request");
        EXPECT_TRUE(client.is_closed()) << "its body was not read";
        EXPECT_THAT(Client{port}.ask(posting("/echo/a", "x", name + ": a\r\nX: a\r\nX: a\r\n")),
                    HasSubstr(" 200 "));
    }
}

TEST_F(WebServerTest, AGateThatKnowsNobodyLeavesEverybodyAStranger) {
    settings.connections_max = 1;
    const auto port = start();
    Client idle{port};
    idle.write("POST /asked HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123");
    EXPECT_THAT(Client{port}.ask(get), HasSubstr(" 200 ")) << "it made room";
    EXPECT_TRUE(idle.is_closed());
    EXPECT_THAT(Client{port}.ask(posting("/asked", "123")), HasSubstr("POST   123"));
}

/// Whoever begins bodies and never ends them keeps nobody else's out.
TEST_F(WebServerTest, APeersBodiesKeepNobodyElseOut) {
    settings.request_timeout = std::chrono::minutes{5};
    const auto port = start();
    const std::string head = "POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n";
    const std::string most(1'000'000, 'x');
    std::deque<Client> greedy;  // One more than its part, 4 MiB, has room for.
    for (int i = 0; i < 5; ++i) greedy.emplace_back(port).write(head + most);
    const auto is_answered = [](auto& client) { return client.has_bytes(); };
    while (std::none_of(greedy.begin(), greedy.end(), is_answered)) std::this_thread::yield();
    Client other{port, "127.0.0.2"};
    EXPECT_THAT(other.ask(head + most + "y"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(Client{port}.ask(posting("/guarded", "12345678", "token: good\r\n")),
                StartsWith("HTTP/1.1 200 "))
        << "who is known has room of its own";
    EXPECT_EQ(std::count_if(greedy.begin(), greedy.end(), is_answered), 1);
}

TEST_F(WebServerTest, BodiesOfStrangersShareSomeRoom) {
    settings.request_timeout = std::chrono::minutes{5};
    settings.connections_per_peer = 0;
    const auto port = start();
    const std::string head = "POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n";
    const std::string most(1'000'000, 'x');
    std::deque<Client> clients;  // One more than there is room for: 16 MiB.
    for (int i = 0; i < 17; ++i) clients.emplace_back(port).write(head + most);
    const auto is_answered = [](auto& client) { return client.has_bytes(); };
    while (std::none_of(clients.begin(), clients.end(), is_answered)) std::this_thread::yield();
    int refused = 0;
    for (auto& client : clients) {
        client.write("x");
        const auto answer = client.read();
        if (answer.starts_with("HTTP/1.1 200 ")) continue;
        ++refused;
        expect_problem(answer, 503, "busy");
        EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
    }
    EXPECT_EQ(refused, 1);
}

}  // namespace
}  // namespace fanfare::testing
