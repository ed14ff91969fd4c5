// What one answer of HTTP/1.1 is, however its bytes come.
#include "core/http/h1_reader.hpp"
#include "core/http/limits.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace fanfare {
namespace {

using State = H1Reader::State;

struct Read {
    HttpAnswer answer;
    State state = State::more;
    bool may_go_on = false;
    std::string fault;
};

/// Reads pieces of so many bytes, and the end where they do not suffice.
Read read_pieces(std::string_view bytes, std::size_t piece) {
    Read read;
    H1Reader reader;
    reader.begin(read.answer);
    while (!bytes.empty() && read.state == State::more) {
        read.state = reader.read(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    if (read.state == State::more) read.state = reader.end();
    read.may_go_on = read.state == State::whole && reader.may_go_on();
    read.fault = reader.fault();
    return read;
}

struct Case {
    std::string_view bytes;
    State state;
    int status;
    std::string_view body;
    bool may_go_on;
};

constexpr std::array cases{
    Case{"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", State::whole, 201, "{}", true},
    Case{"HTTP/1.1 204 No Content\r\n\r\n", State::whole, 204, "", true},
    Case{"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", State::whole, 200, "", true},
    Case{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", State::whole, 200,
         "x", false},
    Case{"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", State::whole, 200, "x", false},
    Case{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", State::whole,
         200, "x", true},
    Case{"HTTP/1.1 200 OK\r\n\r\nuntil the end", State::whole, 200, "until the end", false},
    Case{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        State::whole, 200, "abcde", true},
    Case{"HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
         State::whole, 200, "x", true},
    Case{"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", State::whole,
         302, "", true},
    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", State::whole, 200, "",
         true},
    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", State::whole,
         200, "", true},
    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\r\r\n0\r\n\r\n", State::whole,
         200, "\r", true},
    // Breaks off.
    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r", State::broken, 200, "",
         false},
    Case{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"id\":", State::broken, 200,
         "{\"id\":", false},
    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", State::broken, 200,
         "abc", false},
    Case{"HTTP/1.1 200 OK\r\nContent-Le", State::broken, 0, "", false},
    Case{"HTTP/1.1 2", State::broken, 0, "", false},
    Case{"HTTP/1.1 100 Continue\r\n\r\n", State::broken, 0, "", false},
    // Is none.
    Case{"SSH-2.0-OpenSSH_9.2p1\r\n", State::broken, 0, "", false},
    Case{"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\n{}", State::broken, 0, "", false},
    Case{"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n{}", State::broken, 0, "", false},
    Case{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
         State::broken, 0, "", false},
    Case{"HTTP/2 200 OK\r\n\r\n", State::broken, 0, "", false},
    Case{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", State::broken, 0,
         "", false},
    Case{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         State::broken, 0, "", false},
    Case{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", State::broken, 0, "", false},
    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n", State::broken, 200,
         "", false},
};

TEST(H1Reader, ReadsThemWholeAndByteByByte) {
    for (const auto& each : cases) {
        for (const std::size_t piece : {each.bytes.size(), std::size_t{1}, std::size_t{7}}) {
            const auto read = read_pieces(each.bytes, piece);
            EXPECT_EQ(read.state, each.state) << each.bytes << ' ' << read.fault;
            EXPECT_EQ(read.answer.status, each.status) << each.bytes;
            EXPECT_EQ(read.answer.body, each.body) << each.bytes;
            EXPECT_EQ(read.may_go_on, each.may_go_on) << each.bytes;
            EXPECT_EQ(read.answer.retry_after, "") << each.bytes;
            EXPECT_EQ(read.fault.empty(), each.state == State::whole) << each.bytes;
        }
    }
}

TEST(H1Reader, KeepsTheHeadersThatProvidersNeed) {
    const auto read = read_pieces(
        "HTTP/1.1 429 Too Many\r\nRETRY-AFTER:  17 \r\nDate: Mon\r\nX-Other: no\r\n"
        "Content-Length: 0\r\n\r\n",
        3);
    EXPECT_EQ(read.answer.retry_after, "17");
    EXPECT_EQ(read.answer.date, "Mon");
}

TEST(H1Reader, HasAnotherWhereNothingStandsBehind) {
    HttpAnswer answer;
    H1Reader reader;
    reader.begin(answer);
    ASSERT_EQ(reader.read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200"),
              State::whole);
    EXPECT_FALSE(reader.may_go_on()) << "nobody asked for that";
    answer = {};
    reader.begin(answer);
    ASSERT_EQ(reader.read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"), State::whole);
    EXPECT_EQ(answer.body, "2");
    EXPECT_TRUE(reader.may_go_on());
}

/// The state after so much of `endless` behind `head`.
State read_endless(const std::string& head, const std::string& endless, std::size_t bytes) {
    HttpAnswer answer;
    H1Reader reader;
    reader.begin(answer);
    auto state = reader.read(head);
    for (std::size_t read = 0; read < bytes && state == State::more; read += endless.size()) {
        state = reader.read(endless);
    }
    EXPECT_LE(answer.body.size(), answer_bytes_max);
    return state;
}

TEST(H1Reader, BearsNothingWithoutAnEnd) {
    const std::string block(4'096, 'x');
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(read_endless("HTTP/1.1 200 ", block, 1 << 20), State::broken);
    EXPECT_EQ(read_endless(ok + "X: ", block, 1 << 20), State::broken);
    EXPECT_EQ(read_endless(ok, "X: y\r\n", 1 << 20), State::broken);
    EXPECT_EQ(read_endless(ok + "\r\n", block, 2 << 20), State::broken);
    EXPECT_EQ(read_endless(ok + "Content-Length: 1048577\r\n\r\n", block, 2 << 20), State::broken);
    EXPECT_EQ(read_endless(chunked, "1000\r\n" + block + "\r\n", 2 << 20), State::broken);
    EXPECT_EQ(read_endless(chunked + "1;", block, 1 << 20), State::broken);
    EXPECT_EQ(read_endless(chunked + "0\r\n", "X: y\r\n", 1 << 20), State::broken);
    EXPECT_EQ(read_endless(chunked + "0\r\nX: ", block, 1 << 20), State::broken);
}

}  // namespace
}  // namespace fanfare
