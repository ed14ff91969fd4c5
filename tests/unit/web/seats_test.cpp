#include "core/web/seats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SeatsTest : public ::testing::Test {
protected:
    std::unique_ptr<Seats::Seat> take(Seats& seats, const std::string& peer,
                                      const std::string& name) {
        return seats.take(peer, [this, name] { cut.push_back(name); });
    }
    std::vector<std::string> cut;
};

TEST_F(SeatsTest, WhoIsQuietLongestMakesRoom) {
    Seats seats{{.all = 3, .a_peer = 0}};
    const auto a = take(seats, "p", "a");
    const auto b = take(seats, "p", "b");
    const auto c = take(seats, "p", "c");
    a->hear();
    a->rest();
    const auto d = take(seats, "q", "d");
    ASSERT_TRUE(d);
    EXPECT_THAT(cut, ElementsAre("b"));
    c->hear();  // Slow to ask is as quiet as before.
    const auto e = take(seats, "q", "e");
    EXPECT_THAT(cut, ElementsAre("b", "c"));
    EXPECT_EQ(seats.taken(), 3U);
    EXPECT_EQ(seats.made_room(), 2U);
}

TEST_F(SeatsTest, WhoIsServedStays) {
    Seats seats{{.all = 2, .a_peer = 0}};
    const auto a = take(seats, "p", "a");
    auto b = take(seats, "p", "b");
    a->serve();
    b->serve();
    EXPECT_FALSE(take(seats, "q", "c"));
    EXPECT_THAT(cut, IsEmpty());
    b.reset();
    EXPECT_TRUE(take(seats, "q", "d"));
    EXPECT_THAT(cut, IsEmpty());
}

TEST_F(SeatsTest, APeerHasAShare) {
    Seats seats{{.all = 10, .a_peer = 2}};
    const auto other = take(seats, "q", "other");
    const auto a = take(seats, "p", "a");
    const auto b = take(seats, "p", "b");
    const auto c = take(seats, "p", "c");
    EXPECT_TRUE(c);
    EXPECT_THAT(cut, ElementsAre("a")) << "its own, not the one that is quiet longest of all";
    b->serve();
    c->serve();
    EXPECT_FALSE(take(seats, "p", "d"));
    EXPECT_TRUE(take(seats, "q", "e"));
    EXPECT_THAT(cut, ElementsAre("a"));
}

TEST_F(SeatsTest, ASeatThatWasCutCountsNoMore) {
    Seats seats{{.all = 1, .a_peer = 1}};
    auto a = take(seats, "p", "a");
    auto b = take(seats, "p", "b");
    EXPECT_EQ(seats.taken(), 1U);
    a.reset();
    EXPECT_EQ(seats.taken(), 1U);
    b.reset();
    EXPECT_EQ(seats.taken(), 0U);
}

TEST_F(SeatsTest, TheIdleAreCutAlone) {
    Seats seats{{.all = 3, .a_peer = 0}};
    const auto idle = take(seats, "p", "idle");
    const auto asking = take(seats, "p", "asking");
    const auto served = take(seats, "p", "served");
    asking->hear();
    served->serve();
    seats.cut_idle();
    EXPECT_THAT(cut, ElementsAre("idle"));
}

TEST(Peer, IsAnAddressOrANetworkOfIpv6) {
    const auto peer = [](const char* address) {
        return to_peer(boost::asio::ip::make_address(address));
    };
    EXPECT_EQ(peer("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(peer("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(peer("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    EXPECT_EQ(peer("2001:db8:1:2::9"), peer("2001:db8:1:2:ffff::1"));
}

}  // namespace
}  // namespace fanfare
