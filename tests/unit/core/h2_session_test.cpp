// One HTTP/2 connection without a socket: the server's bytes in, our frames and fates out.
#include "core/http/h2_session.hpp"

#include "tests/support/h2_line.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace fanfare {
namespace {

using test::four_bytes;
using test::header_block;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t enough = 1 << 20;

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload = {}) {
    auto out = four_bytes(static_cast<std::uint32_t>(payload.size())).substr(1);
    out.push_back(static_cast<char>(type));
    out.push_back(static_cast<char>(flags));
    return out.append(four_bytes(stream)).append(payload);
}

std::string settings(std::uint32_t streams_max) {
    using namespace std::string_literals;
    return frame(NGHTTP2_SETTINGS, 0, 0, "\0\x3"s + four_bytes(streams_max));
}

std::string go_away(std::uint32_t last) {
    return frame(NGHTTP2_GOAWAY, 0, 0, four_bytes(last) + four_bytes(NGHTTP2_NO_ERROR));
}

class H2SessionTest : public ::testing::Test {
protected:
    void wait(std::string body) {
        requests.push_back({.url = "https://h/", .headers = {"X-A: b"}, .body = std::move(body)});
        exchanges.emplace_back();
        exchanges.back().request = &requests.back();
        exchanges.back().origin = &origin;
        exchanges.back().path = "/";
        waiting.push_back(&exchanges.back());
    }
    void wait_many(int count) {
        for (int i = 0; i < count; ++i) wait("body");
    }
    std::string gather(std::size_t bytes_max = enough) {
        std::string out;
        session.gather(out, bytes_max, [this]() -> OpenExchange* {
            if (waiting.empty()) return nullptr;
            auto* const first = waiting.front();
            waiting.pop_front();
            return first;
        });
        return out;
    }
    /// The types of frames, in order; the preface is left out.
    static std::vector<int> types(std::string_view bytes) {
        if (bytes.starts_with("PRI")) bytes.remove_prefix(NGHTTP2_CLIENT_MAGIC_LEN);
        std::vector<int> out;
        while (!bytes.empty()) {
            const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
            out.push_back(at(3));
            bytes.remove_prefix(std::size_t{9} + (at(0) << 16U | at(1) << 8U | at(2)));
        }
        return out;
    }
    std::vector<Transport> fates() {
        std::vector<Transport> out;
        for (const auto& exchange : exchanges) {
            EXPECT_TRUE(exchange.ended);
            out.push_back(exchange.answer.transport);
        }
        return out;
    }

    HttpOrigin origin{
        .url = "https://h", .tls = true, .host = "h", .port = "443", .authority = "h"};
    std::deque<HttpRequest> requests;
    std::deque<OpenExchange> exchanges;
    std::deque<OpenExchange*> waiting;
    H2Session session{100};
};

TEST_F(H2SessionTest, OpensNoStreamBeforeTheServersSettings) {
    wait("body");
    EXPECT_THAT(types(gather()), ElementsAre(NGHTTP2_SETTINGS, NGHTTP2_WINDOW_UPDATE));
    EXPECT_FALSE(session.has_room());
    session.receive(settings(1));
    EXPECT_THAT(types(gather()), ElementsAre(NGHTTP2_SETTINGS, NGHTTP2_HEADERS, NGHTTP2_DATA));
}

TEST_F(H2SessionTest, AllThatWaitsLeavesInOneBatch) {
    session.receive(settings(1'000));
    wait_many(100);
    const auto sent = types(gather());
    EXPECT_EQ(std::count(sent.begin(), sent.end(), NGHTTP2_HEADERS), 100);
    EXPECT_EQ(std::count(sent.begin(), sent.end(), NGHTTP2_DATA), 100);
    EXPECT_THAT(gather(), IsEmpty());
}

TEST_F(H2SessionTest, ABatchHasABound) {
    session.receive(settings(1'000));
    for (int i = 0; i < 10; ++i) wait(std::string(1'000, 'x'));
    const auto first = gather(2'000);
    EXPECT_GE(first.size(), 2'000U);
    EXPECT_LT(first.size(), 4'000U);
    EXPECT_EQ(session.open(), 2U);
}

TEST_F(H2SessionTest, StreamsAreAsFewAsTheServerAllows) {
    session.receive(settings(2));
    wait_many(3);
    std::ignore = gather();
    EXPECT_EQ(session.open(), 2U);
    session.receive(settings(0));
    session.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                          header_block({{":status", "200"}})));
    std::ignore = gather();
    EXPECT_EQ(session.open(), 1U);
    session.receive(settings(2));
    std::ignore = gather();
    EXPECT_EQ(session.open(), 2U);
}

TEST_F(H2SessionTest, NoMoreStreamsThanTheClientWants) {
    session.receive(settings(1'000));
    wait_many(150);
    std::ignore = gather();
    EXPECT_EQ(session.open(), 100U);
}

TEST_F(H2SessionTest, WhatStandsAboveTheLastStreamOfAGoAwayWasNotSent) {
    session.receive(settings(100));
    wait_many(3);  // Streams 1, 3 and 5.
    std::ignore = gather();
    session.receive(go_away(3));
    EXPECT_THAT(session.take_ended(), ElementsAre(&exchanges[2]));
    EXPECT_EQ(exchanges[2].answer.transport, Transport::not_sent);
    EXPECT_TRUE(session.is_leaving());
    EXPECT_FALSE(session.has_room());
    session.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                          header_block({{":status", "200"}})));
    session.lose("gone", true);
    EXPECT_THAT(fates(),
                ElementsAre(Transport::answered, Transport::in_doubt, Transport::not_sent));
}

TEST_F(H2SessionTest, AGoAwayInTwoStepsDecidesWithTheSecond) {
    session.receive(settings(100));
    wait_many(2);
    std::ignore = gather();
    session.receive(go_away(0x7fff'ffff));
    EXPECT_THAT(session.take_ended(), IsEmpty());
    EXPECT_TRUE(session.is_leaving());
    session.receive(go_away(1));
    EXPECT_THAT(session.take_ended(), ElementsAre(&exchanges[1]));
    session.lose("gone", true);
    EXPECT_THAT(fates(), ElementsAre(Transport::in_doubt, Transport::not_sent));
}

TEST_F(H2SessionTest, AGoAwayThatTakesBackItsWordEndsTheSession) {
    session.receive(settings(100));
    wait_many(2);
    std::ignore = gather();
    session.receive(go_away(1));
    session.receive(go_away(3));
    std::ignore = gather();
    EXPECT_TRUE(session.is_over());
}

TEST_F(H2SessionTest, ARefusedStreamWasNotSentAndAnyOtherResetIsInDoubt) {
    session.receive(settings(100));
    wait_many(3);
    std::ignore = gather();
    session.receive(frame(NGHTTP2_RST_STREAM, 0, 1, four_bytes(NGHTTP2_REFUSED_STREAM)));
    session.receive(frame(NGHTTP2_RST_STREAM, 0, 3, four_bytes(NGHTTP2_CANCEL)));
    session.receive(frame(NGHTTP2_RST_STREAM, 0, 5, four_bytes(NGHTTP2_NO_ERROR)));
    EXPECT_THAT(fates(),
                ElementsAre(Transport::not_sent, Transport::in_doubt, Transport::in_doubt));
    EXPECT_THAT(exchanges[0].answer.fault, HasSubstr("REFUSED_STREAM"));
}

TEST_F(H2SessionTest, ARefusalAfterTheFirstWordOfAnAnswerIsInDoubt) {
    session.receive(settings(100));
    wait_many(1);
    std::ignore = gather();
    session.receive(
        frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, header_block({{":status", "200"}})));
    session.receive(frame(NGHTTP2_RST_STREAM, 0, 1, four_bytes(NGHTTP2_REFUSED_STREAM)));
    EXPECT_THAT(fates(), ElementsAre(Transport::in_doubt));
}

TEST_F(H2SessionTest, WhatNeverLeftTheLastBatchWasNotSent) {
    session.receive(settings(100));
    wait_many(2);
    std::ignore = gather();
    wait_many(2);
    std::ignore = gather();
    session.lose("writing: broken pipe", false);
    EXPECT_THAT(fates(), ElementsAre(Transport::in_doubt, Transport::in_doubt, Transport::not_sent,
                                     Transport::not_sent));
}

TEST_F(H2SessionTest, ABodyThatIsHalfWrittenWasNotSent) {
    session.receive(settings(100));
    wait(std::string(200'000, 'x'));  // The window has 65,535.
    std::ignore = gather();
    EXPECT_EQ(exchanges[0].body_read, 65'535U);
    EXPECT_THAT(gather(), IsEmpty());
    session.lose("gone", true);
    EXPECT_THAT(fates(), ElementsAre(Transport::not_sent));
}

TEST_F(H2SessionTest, AnAnswerBeforeTheEndOfTheBodyEndsTheUpload) {
    session.receive(settings(100));
    wait(std::string(200'000, 'x'));
    std::ignore = gather();
    session.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                          header_block({{":status", "413"}})));
    EXPECT_THAT(fates(), ElementsAre(Transport::answered));
    EXPECT_EQ(exchanges[0].answer.status, 413);
    EXPECT_THAT(types(gather()), ElementsAre(NGHTTP2_RST_STREAM));
}

TEST_F(H2SessionTest, AnAbandonedStreamIsCancelledAndTakesRoomUntilThen) {
    session.receive(settings(1));
    wait_many(1);
    std::ignore = gather();
    session.abandon(exchanges[0], "no time");
    EXPECT_EQ(exchanges[0].answer.transport, Transport::in_doubt);
    EXPECT_FALSE(session.has_room());
    EXPECT_THAT(types(gather()), ElementsAre(NGHTTP2_RST_STREAM));
    EXPECT_TRUE(session.has_room());
    // An answer that comes all the same is nobody's.
    session.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                          header_block({{":status", "200"}})));
    EXPECT_THAT(session.take_ended(), SizeIs(1));
}

TEST_F(H2SessionTest, AnAnswerThatHasNoStatusIsInDoubt) {
    session.receive(settings(100));
    wait_many(1);
    std::ignore = gather();
    session.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                          header_block({{":status", "099"}})));
    EXPECT_THAT(fates(), ElementsAre(Transport::in_doubt));
}

TEST_F(H2SessionTest, StreamsThatRunOutEndItAsAGoAwayDoes) {
    H2Session last{100, 0x7fff'ffff};
    last.receive(settings(100));
    wait_many(2);
    std::string out;
    std::size_t given = 0;
    EXPECT_FALSE(last.is_leaving());
    last.gather(out, enough, [&]() -> OpenExchange* {
        return given < waiting.size() ? waiting[given++] : nullptr;
    });
    EXPECT_EQ(given, 1U) << "there is no stream left for the other";
    EXPECT_TRUE(last.is_leaving());
    EXPECT_EQ(last.open(), 1U);
    last.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                       0x7fff'ffff, header_block({{":status", "200"}})));
    EXPECT_EQ(exchanges[0].answer.transport, Transport::answered);
}

TEST_F(H2SessionTest, BytesWithoutEndThatNobodyKnowsEndTheSession) {
    session.receive(settings(100));
    const auto unknown = frame(0xee, 0, 0, std::string(10'000, 'x'));
    std::size_t frames = 0;
    for (; !session.is_over() && frames < 1'000; ++frames) session.receive(unknown);
    EXPECT_LE(frames, 210U);
    EXPECT_THAT(session.fault(), HasSubstr("without end"));
}

TEST_F(H2SessionTest, InterimAnswersAreNoAnswers) {
    session.receive(settings(100));
    wait_many(2);
    std::ignore = gather();
    for (const std::uint32_t stream : {1U, 3U}) {
        session.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream,
                              header_block({{":status", "103"}})));
    }
    session.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                          header_block({{":status", "204"}})));
    session.receive(frame(NGHTTP2_RST_STREAM, 0, 3, four_bytes(NGHTTP2_REFUSED_STREAM)));
    EXPECT_THAT(fates(), ElementsAre(Transport::answered, Transport::not_sent));
    EXPECT_EQ(exchanges[0].answer.status, 204);
}

TEST_F(H2SessionTest, FramesWithoutEndThatAnswerNobodyEndTheSession) {
    for (const auto& junk :
         {frame(NGHTTP2_PING, 0, 0, "12345678"), frame(NGHTTP2_SETTINGS, 0, 0),
          frame(NGHTTP2_WINDOW_UPDATE, 0, 0, four_bytes(1)),
          frame(NGHTTP2_PRIORITY, 0, 7, four_bytes(0) + "x"), frame(NGHTTP2_DATA, 0, 1)}) {
        H2Session flooded{100};
        OpenExchange exchange;
        exchange.request = &requests.emplace_back();
        exchange.origin = &origin;
        exchange.path = "/";
        flooded.receive(settings(100));
        std::string out;
        bool begun = false;
        flooded.gather(out, enough,
                       [&] { return std::exchange(begun, true) ? nullptr : &exchange; });
        flooded.receive(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                              header_block({{":status", "200"}})));
        std::size_t frames = 0;
        while (!flooded.is_over() && frames < 20'000) {
            flooded.receive(junk);
            ++frames;
            out.clear();  // Acknowledgements are read: they are not what ends it.
            flooded.gather(out, enough, [] { return nullptr; });
        }
        EXPECT_LE(frames, 10'001U) << "type " << int{static_cast<unsigned char>(junk[3])};
        flooded.lose("over", true);
        EXPECT_EQ(exchange.answer.transport, Transport::in_doubt);
    }
}

}  // namespace
}  // namespace fanfare
