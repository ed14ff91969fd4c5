#include "sim/http/codec.hpp"

#include <gmock/gmock.h>

namespace fanfare::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Remembers requests; answers at once unless told to wait.
class Seen : public CodecEvents {
public:
    void on_request(ExchangeId id, const Request& request) override {
        requests.push_back(std::string{request.method} + " " + std::string{request.path} + " " +
                           std::string{request.body});
        if (!wait) answer(id);
    }
    void on_cancelled(ExchangeId) override {}

    void answer(ExchangeId id) {
        Answer ok;
        ok.body = "ok" + std::to_string(++answers);
        codec->answer(id, ok);
    }

    Codec* codec = nullptr;
    bool wait = false;
    int answers = 0;
    std::vector<std::string> requests;
};

class Http1Test : public testing::Test {
protected:
    Http1Test() : codec_{make_http1_codec(seen_, bounds_)} { seen_.codec = codec_.get(); }

    std::string flushed() {
        std::string out;
        codec_->flush(out);
        return out;
    }

    HttpBounds bounds_{.header_bytes_max = 1'000, .header_fields_max = 10, .body_bytes_max = 100};
    Seen seen_;
    std::unique_ptr<Codec> codec_;
};

TEST_F(Http1Test, TakesARequestByteByByte) {
    for (const char c :
         std::string{"POST /a?q HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"}) {
        codec_->feed({&c, 1});
    }
    EXPECT_THAT(seen_.requests, ElementsAre("POST /a abc"));
    EXPECT_THAT(flushed(), HasSubstr("HTTP/1.1 200 OK\r\n"));
    EXPECT_FALSE(codec_->finished());
}

TEST_F(Http1Test, PipelinedRequestsWaitForTheirTurn) {
    seen_.wait = true;
    codec_->feed("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    codec_->feed("GET /3 HTTP/1.1\r\n\r\n");
    EXPECT_EQ(seen_.requests.size(), 1U);
    EXPECT_EQ(codec_->request(1)->path, "/1");
    seen_.answer(1);
    EXPECT_EQ(seen_.requests.size(), 2U);
    seen_.wait = false;
    seen_.answer(1);
    EXPECT_EQ(seen_.requests.size(), 3U);
    const auto out = flushed();
    EXPECT_LT(out.find("ok1"), out.find("ok2"));
    EXPECT_LT(out.find("ok2"), out.find("ok3"));
}

TEST_F(Http1Test, AbandoningClosesWithoutAWord) {
    seen_.wait = true;
    codec_->feed("GET /1 HTTP/1.1\r\n\r\n");
    codec_->abandon(1);
    EXPECT_EQ(flushed(), "");
    EXPECT_TRUE(codec_->finished());
}

TEST_F(Http1Test, ClosesWhenAskedTo) {
    codec_->feed("GET /1 HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(flushed(), HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(codec_->finished());
}

TEST_F(Http1Test, ContinuesWhenExpected) {
    codec_->feed("POST /1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    EXPECT_EQ(flushed(), "HTTP/1.1 100 Continue\r\n\r\n");
    codec_->feed("x");
    EXPECT_THAT(seen_.requests, ElementsAre("POST /1 x"));
}

TEST_F(Http1Test, IgnoresOffersToUpgrade) {
    codec_->feed(
        "POST /1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\n");
    codec_->feed("x");
    EXPECT_THAT(flushed(), HasSubstr("200 OK"));
}

TEST_F(Http1Test, StreamsLongAnswersInChunks) {
    seen_.wait = true;
    codec_->feed("GET /1 HTTP/1.1\r\n\r\n");
    Answer answer;
    int pieces = 0;
    answer.more = [&](std::string& out) {
        out.append(70'000, 'x');
        return ++pieces < 2;
    };
    codec_->answer(1, answer);
    std::string all = flushed();
    EXPECT_THAT(all, HasSubstr("Transfer-Encoding: chunked\r\n\r\n11170\r\nxxx"));
    all += flushed();
    EXPECT_TRUE(all.ends_with("0\r\n\r\n"));
    EXPECT_EQ(flushed(), "");
}

struct Nonsense {
    const char* why;
    std::string bytes;
    const char* status;
};
void PrintTo(const Nonsense& one, std::ostream* out) { *out << one.why; }

class Http1BadTest : public testing::TestWithParam<Nonsense> {};

TEST_P(Http1BadTest, IsAnsweredAndClosed) {
    const HttpBounds bounds{
        .header_bytes_max = 1'000, .header_fields_max = 10, .body_bytes_max = 100};
    Seen seen;
    const auto codec = make_http1_codec(seen, bounds);
    seen.codec = codec.get();
    codec->feed(GetParam().bytes);
    std::string out;
    codec->flush(out);
    EXPECT_THAT(out, StartsWith(std::string{"HTTP/1.1 "} + GetParam().status));
    EXPECT_TRUE(codec->finished());
    EXPECT_TRUE(seen.requests.empty());
    codec->feed("GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(seen.requests.empty());
}

std::string many_headers() {
    std::string text = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 11; ++i) text += "X: y\r\n";
    return text + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    All, Http1BadTest,
    testing::Values(
        Nonsense{"garbage", std::string("\x16\x03\x01\0\0", 5), "400"},
        Nonsense{"long header", "GET / HTTP/1.1\r\nX: " + std::string(1'001, 'x'), "431"},
        Nonsense{"long target", "GET /" + std::string(1'001, 'x'), "431"},
        Nonsense{"many headers", many_headers(), "431"},
        Nonsense{"promised too much", "POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "413"},
        Nonsense{
            "chunked too much",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x'),
            "413"},
        Nonsense{"negative length", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"}));

}  // namespace
}  // namespace fanfare::sim
