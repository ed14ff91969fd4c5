// Bodies however they are framed, and what must not be taken for one.
#include "core/web/body.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

constexpr std::size_t body_max = 1'000;

RequestHead chunked() {
    RequestHead head;
    head.chunked = true;
    return head;
}

struct Taken {
    int status = 200;  // 100: more is needed.
    std::string body;
    std::string rest;
};

/// In pieces of `step` bytes.
Taken take(const RequestHead& head, std::string_view bytes, std::size_t step) {
    BodyReader reader{head, body_max};
    std::string held;
    for (std::size_t at = 0; at <= bytes.size(); at += step) {
        held += bytes.substr(at, step);
        std::string_view left{held};
        const auto fault = reader.take(left);
        if (fault) return {fault->status, "", ""};
        held.erase(0, held.size() - left.size());
    }
    return {reader.is_whole() ? 200 : 100, reader.body(), held};
}

int status(std::string_view bytes) {
    const auto whole = take(chunked(), bytes, bytes.size() + 1);
    EXPECT_EQ(whole.status, take(chunked(), bytes, 1).status) << bytes;
    return whole.status;
}

TEST(Body, IsTakenWholeFromAnyPieces) {
    const std::string bytes =
        "3\r\nabc\r\n00A;x=\"y\\\"\";z \t\r\n0123456789\r\n1\t ;a\r\n\n\r\n0;end\r\nX-Trailer: "
        "y\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.1";
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        const auto taken = take(chunked(), bytes, step);
        EXPECT_EQ(taken.status, 200) << step;
        EXPECT_EQ(taken.body, "abc0123456789\n");
        EXPECT_EQ(taken.rest, "GET / HTTP/1.1");
    }
    RequestHead sized;
    sized.length = 4;
    for (std::size_t step = 1; step <= 6; ++step) {
        const auto taken = take(sized, "bodyGE", step);
        EXPECT_EQ(taken.status, 200);
        EXPECT_EQ(taken.body, "body");
        EXPECT_EQ(taken.rest, "GE");
    }
    EXPECT_EQ(take(sized, "bod", 3).status, 100);
    EXPECT_TRUE(BodyReader(RequestHead{}, 0).is_whole());
}

TEST(Body, ChunksAreOfOneForm) {
    for (const auto* const bytes : {"\r\n",
                                    ";a\r\n",
                                    "x\r\n",
                                    "+3\r\n",
                                    "-3\r\n",
                                    "0x3\r\n",
                                    " 3\r\n",
                                    "3 \r\n",
                                    "3\t\r\n",
                                    "3\n",
                                    "3;a\n",
                                    "3\rx",
                                    "3;a\rb",
                                    "3 4\r\n",
                                    "3\r\nabcd",
                                    "3\r\nabc\n",
                                    "3\r\nabc\rx",
                                    "3;a=\"\x01\"\r\n",
                                    "3;\x7f\r\n",
                                    "0\r\nX : y\r\n\r\n",
                                    "0\r\n X: y\r\n\r\n",
                                    "0\r\nX: y\r\n z\r\n\r\n",
                                    "0\r\nX\r\n\r\n",
                                    "0\r\n\n",
                                    "0\r\n\rx",
                                    "0\r\nX: y\n\r\n",
                                    "0\r\nX: a\rb\r\n\r\n",
                                    "3;a=\"\n\"\r\n"}) {
        EXPECT_EQ(status(bytes), 400) << bytes;
    }
    using namespace std::string_literals;
    EXPECT_EQ(status("3;\0\r\n"s), 400);
    EXPECT_EQ(status("0\r\nX: \0\r\n\r\n"s), 400);
}

TEST(Body, IsBounded) {
    RequestHead sized;
    sized.length = body_max + 1;
    EXPECT_EQ(take(sized, "", 1).status, 413);
    EXPECT_EQ(status("3e8\r\n" + std::string(1'000, 'x') + "\r\n0\r\n\r\n"), 200);
    EXPECT_EQ(status("3e9\r\n"), 413);
    EXPECT_EQ(status("3e8\r\n" + std::string(1'000, 'x') + "\r\n1\r\n"), 413);
    EXPECT_EQ(status("ffffffffffffffff\r\n"), 413);
    EXPECT_EQ(status("10000000000000001\r\n"), 413) << "no number that turns over";
    EXPECT_EQ(status(std::string(2'000, '0')), 400);
    EXPECT_EQ(status("1;" + std::string(2'000, 'x')), 400);
    EXPECT_EQ(status("1" + std::string(2'000, ' ')), 400);
    std::string many;
    for (int i = 0; i < 20; ++i) many += fmt::format("1;{}\r\nx\r\n", std::string(1'000, 'y'));
    EXPECT_EQ(status(many), 400) << "all extensions together";
    EXPECT_EQ(status("0\r\nX: " + std::string(10'000, 'x')), 431);
    std::string trailers{"0\r\n"};
    for (int i = 0; i < 2'000; ++i) trailers += "X: y\r\n";
    EXPECT_EQ(status(trailers), 431);
    std::string tiny;
    for (int i = 0; i < 1'000; ++i) tiny += "1\r\nx\r\n";
    EXPECT_EQ(status(tiny + "0\r\n\r\n"), 200) << "many chunks are no extensions";
}

}  // namespace
}  // namespace fanfare
