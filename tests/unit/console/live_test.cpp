// Streams of live numbers: bounded, and over when they are to be.
#include "producer/console/live.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
using Piece = std::optional<std::string>;

asio::awaitable<Piece> two_lines() { co_return "<p>one</p>\n<p>two</p>"; }
asio::awaitable<Piece> nothing() { co_return std::nullopt; }

TEST(Pace, IsWhatCameWithinTheLastSeconds) {
    Pace pace;
    SteadyTime now{};
    EXPECT_EQ(pace.per_second(), std::nullopt);
    pace.sample(now, 100);
    EXPECT_EQ(pace.per_second(), std::nullopt);
    pace.sample(now + std::chrono::seconds{2}, 300);
    EXPECT_EQ(pace.per_second(), 100.0);
    for (int i = 2; i < 20; ++i) pace.sample(now + std::chrono::seconds{2 * i}, 300);
    EXPECT_EQ(pace.per_second(), 0.0);
}

class LiveTest : public ::testing::Test {
protected:
    asio::io_context context{1};
    LiveSlots slots{2};
};

TEST_F(LiveTest, BeginsAtOnceAndWritesLinesAsEventsTakeThem) {
    const auto reply = live_reply(slots, two_lines);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.content_type, "text/event-stream");
    EXPECT_EQ(test::run(context, reply.pieces()), "data: <p>one</p>\ndata: <p>two</p>\n\n");
}

TEST_F(LiveTest, SaysSomethingAlsoWhenThereIsNothingNew) {
    const auto reply = live_reply(slots, nothing);
    EXPECT_EQ(test::run(context, reply.pieces()), ":\n\n");
}

TEST_F(LiveTest, HasSoManySlotsAndGivesThemBack) {
    auto one = live_reply(slots, two_lines);
    const auto two = live_reply(slots, two_lines);
    EXPECT_EQ(live_reply(slots, two_lines).status, 503);
    one = {};
    EXPECT_EQ(live_reply(slots, two_lines).status, 200);
}

TEST_F(LiveTest, EndsWholeWhenItIsClosed) {
    const auto reply = live_reply(slots, two_lines);
    EXPECT_NE(test::run(context, reply.pieces()), "");
    asio::post(context, [this] { slots.close(); });
    EXPECT_EQ(test::run(context, reply.pieces()), "") << "it does not wait its two seconds out";
    EXPECT_EQ(live_reply(slots, two_lines).status, 503);
}

}  // namespace
}  // namespace fanfare::console
