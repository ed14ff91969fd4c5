// A request's head by RFC 9112, line by line of its list of what is to be refused.
#include "core/web/head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

using Head = std::variant<RequestHead, HttpFault>;

Head read(std::string_view bytes) {
    HeadFinder finder;
    const auto found = finder.look(bytes);
    if (const auto* const fault = std::get_if<HttpFault>(&found)) return *fault;
    const auto size = std::get<std::size_t>(found);
    EXPECT_GT(size, 0U) << bytes;
    return read_head(bytes.substr(0, size));
}

/// 200 where it is well-formed.
int status_of(const Head& head) {
    const auto* const fault = std::get_if<HttpFault>(&head);
    return fault == nullptr ? 200 : fault->status;
}
int status(std::string_view bytes) { return status_of(read(bytes)); }
int status_with(const std::string& fields) {
    return status("POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
}
std::string target_of(std::string_view target) {
    const auto head =
        read("GET " + std::string{target} + " HTTP/1.1\r\nHost: other.example\r\n\r\n");
    const auto* const request = std::get_if<RequestHead>(&head);
    return request == nullptr ? std::to_string(status_of(head))
                              : request->host + " " + request->target;
}

TEST(Head, IsReadWhole) {
    const auto head = read(
        "\r\nPOST /v1/jobs?a=%20 HTTP/1.1\r\nHost: api.example:8443\r\nX-Empty:\r\n"
        "x-odd!#$%&'*+-.^_`|~09:\t a:b \xe9 \t\r\nContent-Length: 12\r\n"
        "Expect: 100-continue\r\n\r\nbody");
    const auto& request = std::get<RequestHead>(head);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/jobs?a=%20");
    EXPECT_EQ(request.host, "api.example:8443");
    EXPECT_EQ(request.minor, 1);
    EXPECT_EQ(request.length, 12U);
    EXPECT_FALSE(request.chunked);
    EXPECT_TRUE(request.keep_alive);
    EXPECT_TRUE(request.expects_continue);
    EXPECT_THAT(request.fields,
                ElementsAre(Pair("Host", "api.example:8443"), Pair("X-Empty", ""),
                            Pair("x-odd!#$%&'*+-.^_`|~09", "a:b \xe9"),
                            Pair("Content-Length", "12"), Pair("Expect", "100-continue")));
}

TEST(Head, HasARequestLineOfOneForm) {
    for (const auto* const line : {"GET /",
                                   "GET  / HTTP/1.1",
                                   "GET /  HTTP/1.1",
                                   " GET / HTTP/1.1",
                                   "GET\t/ HTTP/1.1",
                                   "GET / HTTP/1.1 ",
                                   "GET / http/1.1",
                                   "GET / HTTP/1",
                                   "GET / HTTP/1.10",
                                   "GET / HTTP/11",
                                   "GET / HTTP/x.1",
                                   "GET / HTTPS/1.1",
                                   "/ HTTP/1.1",
                                   "GET HTTP/1.1",
                                   "G(T / HTTP/1.1",
                                   "GET: / HTTP/1.1",
                                   "GET /a b HTTP/1.1",
                                   "GET /\x7f HTTP/1.1",
                                   "GET /\xc3\xa4 HTTP/1.1",
                                   "GET /\x01 HTTP/1.1",
                                   "GET /#a HTTP/1.1",
                                   "NONSENSE",
                                   ":"}) {
        EXPECT_EQ(status(std::string{line} + "\r\nHost: x\r\n\r\n"), 400) << line;
    }
    EXPECT_EQ(status("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
    EXPECT_EQ(status("PRI * HTTP/2.0\r\n\r\n"), 505);
    EXPECT_EQ(status("GET / HTTP/1.9\r\nHost: x\r\n\r\n"), 200);
    EXPECT_EQ(status("get / HTTP/1.1\r\nHost: x\r\n\r\n"), 200) << "a method of its own";
}

TEST(Head, LinesEndInOneWay) {
    for (const std::string_view bytes :
         {"GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\n\n", "GET / HTTP/1.1\rHost: x\r\r",
          "GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n",
          "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\rX"}) {
        EXPECT_EQ(status(bytes), 400) << bytes;
    }
    EXPECT_EQ(status("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
}

TEST(Head, FieldsAreOfOneForm) {
    for (const auto* const fields :
         {"X : y\r\n", "X\t: y\r\n", " X: y\r\n", "\tX: y\r\n", "X: y\r\n z\r\n", "X: y\r\n\tz\r\n",
          "X\r\n", ": y\r\n", "X y: z\r\n", "X(: y\r\n", "X\xe9: y\r\n", "X: \x01\r\n",
          "X: \x7f\r\n", "X: a\x0b z\r\n", "X;: y\r\n", "X: y\r\n \r\n"}) {
        EXPECT_EQ(status_with(fields), 400) << fields;
    }
    using namespace std::string_literals;
    EXPECT_EQ(status_with("X: a\0b\r\n"s), 400);
    EXPECT_EQ(status_with("X\0: b\r\n"s), 400);
    EXPECT_EQ(status("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"s), 400);
    EXPECT_EQ(status("GET / HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n"), 400)
        << "a blank before the first field";
}

TEST(Head, NamesOneHost) {
    EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\nhOST: y\r\n\r\n"), 400);
    EXPECT_EQ(status("GET http://x/ HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status("GET / HTTP/1.0\r\n\r\n"), 200);
    EXPECT_EQ(status("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"), 400);
    for (const auto* const host :
         {"", "a b", "a@b", "a/b", "a?b", "a#b", "http://a", "a:b", "a:123456", "a:1:2", ":80",
          "[::1", "[x]", "[::1]x", "a\\b", "a,b c", "\"a\""}) {
        EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n"), 400) << host;
    }
    for (const auto* const host : {"a", "a.example:", "a_b.example:80", "127.0.0.1:1", "[::1]",
                                   "[::ffff:1.2.3.4]:65535", "%41.example"}) {
        EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n"), 200) << host;
    }
}

TEST(Head, TargetsMayBeAbsolute) {
    EXPECT_EQ(target_of("http://x.example/a?b"), "x.example /a?b");
    EXPECT_EQ(target_of("HTTPS://x.example:8443"), "x.example:8443 /");
    EXPECT_EQ(target_of("http://x.example?b"), "x.example /?b");
    EXPECT_EQ(target_of("/a"), "other.example /a");
    EXPECT_EQ(target_of("//a"), "other.example //a");
    for (const auto* const target :
         {"http://", "http:///a", "http://u@x/", "http://x#a", "ftp://x/", "http:/x", "x", "x:80",
          "*", "http://x:y/", "?a"}) {
        EXPECT_EQ(target_of(target), "400") << target;
    }
    EXPECT_EQ(status("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    EXPECT_EQ(status("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"), 501);
}

TEST(Head, ABodyIsFramedInOneWay) {
    EXPECT_EQ(status_with("Transfer-Encoding: chunked\r\n"), 200);
    EXPECT_EQ(status_with("transfer-encoding:\tChunked \r\n"), 200);
    for (const auto* const coding :
         {"gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "chunked;q=1",
          "xchunked", "chunkedx", "", "\"chunked\"", "chunked,", ",chunked", "chun ked",
          "chunked\xa0"}) {
        EXPECT_EQ(status_with("Transfer-Encoding: " + std::string{coding} + "\r\n"), 501) << coding;
    }
    EXPECT_EQ(status_with("Transfer-Encoding: \x0b"
                          "chunked\r\n"),
              400);
    EXPECT_EQ(status_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
    EXPECT_EQ(status_with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 400);
    EXPECT_EQ(status_with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400);
    EXPECT_EQ(status_with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400);
    EXPECT_EQ(status_with("Content-Length: 3\r\nTransfer-Encoding: gzip\r\n"), 400);
    EXPECT_EQ(status_with("Transfer-Encoding : chunked\r\n"), 400);
    EXPECT_EQ(status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    for (const auto* const length :
         {"", "+3", "-3", "3 3", "3, 3", "0x3", "3.0", "three", "3;a=b", "\x33\xa0"}) {
        EXPECT_EQ(status_with("Content-Length: " + std::string{length} + "\r\n"), 400) << length;
    }
    EXPECT_EQ(status_with("Content-Length: 3\r\nContent-Length: 3\r\n"), 400);
    EXPECT_EQ(status_with("Content-Length: 3\r\ncontent-length: 4\r\n"), 400);
    const auto huge =
        read("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n");
    EXPECT_EQ(std::get<RequestHead>(huge).length, std::numeric_limits<std::uint64_t>::max());
}

TEST(Head, SaysWhetherTheConnectionStays) {
    const auto stays = [](const std::string& version, const std::string& fields) {
        const auto head = read("GET / " + version + "\r\nHost: x\r\n" + fields + "\r\n");
        return std::get<RequestHead>(head).keep_alive;
    };
    EXPECT_TRUE(stays("HTTP/1.1", ""));
    EXPECT_FALSE(stays("HTTP/1.1", "Connection: close\r\n"));
    EXPECT_FALSE(stays("HTTP/1.1", "Connection: x , Close\r\n"));
    EXPECT_FALSE(stays("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
    EXPECT_FALSE(stays("HTTP/1.0", ""));
    EXPECT_TRUE(stays("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

TEST(Head, IsBounded) {
    const std::string start = "GET / HTTP/1.1\r\nHost: x\r\n";
    EXPECT_EQ(status(start + "X: " + std::string(head_bytes_max, 'x')), 431);
    EXPECT_EQ(status(std::string(head_bytes_max, 'x')), 414);
    EXPECT_EQ(status("GET /" + std::string(request_line_max, 'x') + " HTTP/1.1\r\n"), 414);
    std::string empty_lines;
    while (empty_lines.size() < head_bytes_max) empty_lines += "\r\n";
    EXPECT_EQ(status(empty_lines), 431);
    std::string many = start;
    for (std::size_t i = 1; i < fields_max; ++i) many += "X: y\r\n";
    EXPECT_EQ(status(many + "\r\n"), 200);
    EXPECT_EQ(status(many + "X: y\r\n\r\n"), 431);
    std::string whole = start + "X: ";
    whole += std::string(head_bytes_max - whole.size() - 4, 'x') + "\r\n\r\n";
    EXPECT_EQ(status(whole), 200);
}

TEST(Head, ArrivesInAnyPieces) {
    const std::string bytes = "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\nrest";
    HeadFinder finder;
    std::size_t end = 0;
    for (std::size_t size = 1; end == 0; ++size) {
        ASSERT_LE(size, bytes.size());
        end = std::get<std::size_t>(finder.look(std::string_view{bytes}.substr(0, size)));
    }
    EXPECT_EQ(bytes.substr(end), "rest");
}

/// Bytes of which nobody knows what they are end in an answer or in a wait, never in more.
TEST(Head, OfAnyBytesIsReadOrRefused) {
    std::mt19937 random{7};
    constexpr std::string_view alphabet{"GET /HTTP1.1\r\n\r\n: \t,ax\x01\xff"};
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = round % 2 == 0 ? "GET / HTTP/1.1\r\nHost: x\r\n" : "";
        for (auto left = random() % 40; left > 0; --left) {
            bytes.push_back(alphabet[random() % alphabet.size()]);
        }
        HeadFinder finder;
        const auto found = finder.look(bytes);
        const auto* const size = std::get_if<std::size_t>(&found);
        if (size == nullptr || *size == 0) continue;
        const auto head = read_head(std::string_view{bytes}.substr(0, *size));
        if (const auto* const request = std::get_if<RequestHead>(&head)) {
            EXPECT_TRUE(request->target.starts_with('/') || request->target == "*") << bytes;
        }
    }
}

}  // namespace
}  // namespace fanfare
