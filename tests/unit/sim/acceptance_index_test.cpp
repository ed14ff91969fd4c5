#include "sim/oracle/acceptance_index.hpp"
#include "sim/oracle/oracle.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare::sim {
namespace {

TEST(AcceptanceIndex, CountsPerJobAndAddress) {
    AcceptanceIndex accepted;
    const std::string_view two[] = {"a", "b"};
    const auto first = accepted.add(1, two);
    EXPECT_EQ(first.people, 2U);
    EXPECT_EQ(first.duplicated, 0U);
    const auto again = accepted.add(1, {two, 1});
    EXPECT_EQ(again.people, 0U);
    EXPECT_EQ(again.duplicated, 1U);
    EXPECT_EQ(accepted.add(1, {two, 1}).duplicated, 0U);  // The third time is not a new duplicate.
    EXPECT_EQ(accepted.add(2, {two, 1}).people, 1U);
    EXPECT_EQ(accepted.count(1, "a"), 3U);
    EXPECT_EQ(accepted.count(1, "b"), 1U);
    EXPECT_EQ(accepted.count(2, "a"), 1U);
    EXPECT_EQ(accepted.count(2, "b"), 0U);
}

TEST(AcceptanceIndex, RemembersHundredsOfThousandsInLittle) {
    constexpr std::uint32_t people = 300'000;
    AcceptanceIndex accepted;
    for (std::uint32_t i = 0; i < people; ++i) {
        const auto address = "person" + std::to_string(i) + "@example.com";
        const std::string_view view{address};
        ASSERT_EQ(accepted.add(7, {&view, 1}).people, 1U);
    }
    EXPECT_EQ(accepted.size(), people);
    for (std::uint32_t i = 0; i < people; i += 997) {
        const auto address = "person" + std::to_string(i) + "@example.com";
        EXPECT_EQ(accepted.count(7, address), 1U);
        EXPECT_EQ(accepted.line(i).address, address);
    }
    EXPECT_LT(accepted.bytes() / people, 64U + 24U);
    accepted.clear();
    EXPECT_EQ(accepted.size(), 0U);
    EXPECT_EQ(accepted.count(7, "person0@example.com"), 0U);
}

TEST(AcceptanceIndex, KeepsLongAndEmptyAddresses) {
    AcceptanceIndex accepted;
    const std::string longest(70'000, 'x');
    for (int i = 0; i < 40; ++i) {
        const std::string_view views[] = {longest, ""};
        accepted.add(static_cast<std::uint32_t>(i), views);
    }
    EXPECT_EQ(accepted.count(3, longest), 1U);
    EXPECT_EQ(accepted.count(3, ""), 1U);
    EXPECT_EQ(accepted.line(0).address.size(), 65'535U);
}

TEST(Oracle, TakesTheJobFromTheReference) {
    Oracle oracle{2};
    const auto job = oracle.find_job(0, "uuid.1");
    EXPECT_EQ(oracle.find_job(0, "uuid.22"), job);
    EXPECT_NE(oracle.find_job(1, "uuid.1"), job);
    EXPECT_EQ(oracle.find_job(0, ""), oracle.find_job(0, ".5"));
    const std::string_view one[] = {"a"};
    oracle.accept(job, one, 5);
    oracle.accept(job, one, 6);
    const auto& tally = oracle.provider(0).tally;
    EXPECT_EQ(tally.accepted, 2U);
    EXPECT_EQ(tally.people, 1U);
    EXPECT_EQ(tally.duplicated, 1U);
    EXPECT_EQ(tally.extra(), 1U);
    EXPECT_EQ(tally.first_accept_ns, 5);
    EXPECT_EQ(tally.last_accept_ns, 6);
}

TEST(PeakRate, SeesAnySecond) {
    PeakRate rate;
    for (std::int64_t ms = 1'000'500; ms < 1'001'500; ++ms) rate.add(ms, 1);
    EXPECT_EQ(rate.peak(), 1'000U);
    rate.add(1'001'500, 1);
    EXPECT_EQ(rate.peak(), 1'000U);
    rate.add(1'001'500, 1);
    EXPECT_EQ(rate.peak(), 1'001U);
    rate.add(2'000'000, 1'500);
    EXPECT_EQ(rate.peak(), 1'500U);
    rate.add(2'000'999, 100);
    EXPECT_EQ(rate.peak(), 1'600U);
    rate.add(2'001'000, 300);
    EXPECT_EQ(rate.peak(), 1'600U);
}

}  // namespace
}  // namespace fanfare::sim
