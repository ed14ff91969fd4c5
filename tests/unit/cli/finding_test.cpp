#include "cli/finding.hpp"

#include <gtest/gtest.h>

namespace fanfare::cli {
namespace {

TEST(TimeZones, OldDataAndNoneAreTold) {
    using namespace std::chrono;
    const TimePoint now{sys_days{year{2026} / 11 / 28}};
    EXPECT_EQ(of_time_zones("2025b", now).level, "ok");
    EXPECT_EQ(of_time_zones("2026a", now).level, "ok");
    const auto old = of_time_zones("2024b", now);
    EXPECT_EQ(old.level, "warning");
    EXPECT_EQ(old.type, "apt-get install --only-upgrade tzdata");
    for (const auto* const none : {"", "unknown", "b2024"}) {
        const auto finding = of_time_zones(none, now);
        EXPECT_EQ(finding.level, "error") << none;
        EXPECT_EQ(finding.type, "apt-get install tzdata");
    }
}

}  // namespace
}  // namespace fanfare::cli
