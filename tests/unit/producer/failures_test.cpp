#include "producer/schedule/failures.hpp"

#include "core/observe/sides.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

const Failure outage{Errc::store_unavailable, "look", {}};
const Failure broken_off{Errc::commit_in_doubt, "look", {}};
const Failure fault{Errc::store_rejected, "look", {}};

TEST(Failures, OfADatabaseThatIsAwayAreTroubleAfterAGrace) {
    ManualClock clock{TimePoint{}};
    Failures failures{clock};
    EXPECT_FALSE(failures.is_trouble());
    failures.failed(broken_off);
    clock.advance(SideWatch::grace);
    failures.failed(outage);
    EXPECT_FALSE(failures.is_trouble()) << "a blip";
    clock.advance(std::chrono::seconds{1});
    EXPECT_TRUE(failures.is_trouble());
    EXPECT_EQ(failures.times(), 2U);
    failures.succeeded();
    EXPECT_FALSE(failures.is_trouble());
    EXPECT_EQ(failures.times(), 0U);
    failures.failed(outage);
    EXPECT_FALSE(failures.is_trouble()) << "the next one begins anew";
}

TEST(Failures, OfAQueryAreTroubleAtOnce) {
    ManualClock clock{TimePoint{}};
    Failures failures{clock};
    failures.failed(outage);
    failures.failed(fault);
    EXPECT_TRUE(failures.is_trouble());
    failures.succeeded();
    failures.failed(fault);
    EXPECT_TRUE(failures.is_trouble());
}

}  // namespace
}  // namespace fanfare
