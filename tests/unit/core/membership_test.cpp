#include "core/kafka/membership.hpp"

#include <gtest/gtest.h>

namespace fanfare::kafka {
namespace {

using namespace std::chrono_literals;
constexpr auto grace = 20s;

TEST(MembershipTest, WhoHasNotJoinedIsNoMember) {
    const ManualClock clock{TimePoint{}};
    const Membership membership{clock};
    EXPECT_FALSE(membership.is_member());
    EXPECT_FALSE(membership.was_member_within(grace)) << "however soon after the start";
}

TEST(MembershipTest, ARebalanceIsNoTroubleAndAnEndlessOneIs) {
    ManualClock clock{TimePoint{}};
    Membership membership{clock};
    membership.set(true);
    clock.advance(1h);
    membership.set(false);
    EXPECT_FALSE(membership.is_member());
    clock.advance(grace);
    membership.set(false);  // Sent out once more, and not in between.
    EXPECT_TRUE(membership.was_member_within(grace));
    clock.advance(1ms);
    EXPECT_FALSE(membership.was_member_within(grace));
    membership.set(true);
    EXPECT_TRUE(membership.was_member_within(grace));
    EXPECT_TRUE(membership.is_member());
}

}  // namespace
}  // namespace fanfare::kafka
