#include "core/settings/start_up.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace fanfare {
namespace {

rlim_t core_limit() {
    rlimit limit{};
    EXPECT_EQ(::getrlimit(RLIMIT_CORE, &limit), 0);
    return limit.rlim_cur;
}

/// Addresses and tokens stand in the memory of every program.
TEST(StartUp, LeavesNoCoreUnlessItIsAskedTo) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_CORE, &before), 0);
    forbid_core_dumps();
    EXPECT_EQ(core_limit(), 0U);
    EXPECT_EQ(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0) << "a handler of cores gets none either";
    allow_core_dumps();
    EXPECT_EQ(core_limit(), before.rlim_max);
    EXPECT_EQ(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    ::setrlimit(RLIMIT_CORE, &before);
}

}  // namespace
}  // namespace fanfare
