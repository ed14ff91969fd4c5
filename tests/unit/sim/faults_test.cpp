#include "sim/faults/faults.hpp"

#include <gmock/gmock.h>
#include <boost/json/parse.hpp>

namespace fanfare::sim {
namespace {

using testing::HasSubstr;

boost::json::object object(const char* text) { return boost::json::parse(text).as_object(); }

constexpr FaultContext calm{
    .seed = 1, .number = 1, .within_limit = true, .within_concurrency = true, .refused = false};

TEST(Faults, NothingHappensByDefault) { EXPECT_EQ(decide({}, calm), Treatment::accept); }

TEST(Faults, OrderOfDecisions) {
    Faults faults;
    auto situation = calm;
    faults.error_after_rate = 1;
    EXPECT_EQ(decide(faults, situation), Treatment::error_after);
    faults.malformed_rate = 1;
    EXPECT_EQ(decide(faults, situation), Treatment::malformed);
    faults.blackhole_rate = 1;
    EXPECT_EQ(decide(faults, situation), Treatment::blackhole);
    faults.lose_after_rate = 1;
    EXPECT_EQ(decide(faults, situation), Treatment::lose_after);
    situation.refused = true;
    EXPECT_EQ(decide(faults, situation), Treatment::refuse);
    faults.error_rate = 1;
    EXPECT_EQ(decide(faults, situation), Treatment::error);
    situation.within_limit = false;
    EXPECT_EQ(decide(faults, situation), Treatment::throttle);
    situation.within_concurrency = false;
    EXPECT_EQ(decide(faults, situation), Treatment::concurrency);
    faults.lose_before_rate = 1;
    EXPECT_EQ(decide(faults, situation), Treatment::lose_before);
    faults.script = {Treatment::accept};
    EXPECT_EQ(decide(faults, situation), Treatment::accept);
}

TEST(Faults, RatesAreMetAndRepeatable) {
    Faults faults;
    faults.lose_after_rate = 0.1;
    int lost = 0;
    for (std::uint64_t number = 0; number < 100'000; ++number) {
        auto situation = calm;
        situation.number = number;
        const auto treatment = decide(faults, situation);
        EXPECT_EQ(treatment, decide(faults, situation));
        lost += treatment == Treatment::lose_after ? 1 : 0;
    }
    EXPECT_NEAR(lost, 10'000, 400);
}

TEST(Faults, ChangesAllOrNothing) {
    Faults faults;
    EXPECT_EQ(faults.change(object(R"({"latency_ms":5,"limit_unit":"recipient",
        "fail_addresses":{"a":"21610"},"script":["lose_after","accept"]})")),
              "");
    EXPECT_EQ(faults.latency_ms, 5);
    EXPECT_TRUE(faults.limit_recipients);
    EXPECT_EQ(faults.fail_addresses.at("a"), "21610");
    EXPECT_EQ(faults.script.size(), 2U);
    const char* bad[] = {R"({"latency_ms":1,"error_rate":1.5})",
                         R"({"latency_ms":1,"nonsense":1})",
                         R"({"latency_ms":"1"})",
                         R"({"limit_unit":"call"})",
                         R"({"script":["explode"]})",
                         R"({"fail_addresses":[1]})",
                         R"({"error_rate":-1})"};
    for (const auto* text : bad) EXPECT_NE(faults.change(object(text)), "") << text;
    EXPECT_EQ(faults.latency_ms, 5);
    Faults again;
    EXPECT_EQ(again.change(faults.show()), "");  // What is shown can be given back.
    EXPECT_EQ(again.show(), faults.show());
}

TEST(TokenBucket, NeverExceedsTheRate) {
    TokenBucket bucket;
    int passed = 0;
    for (std::int64_t ms = 1; ms <= 10'000; ++ms) {
        passed += bucket.take(100, 1, 1, ms * 1'000'000) ? 1 : 0;
    }
    EXPECT_NEAR(passed, 1'000, 2);
}

TEST(TokenBucket, ACallLargerThanTheBucketOwes) {
    TokenBucket bucket;
    constexpr std::int64_t second = 1'000'000'000;
    EXPECT_TRUE(bucket.take(500, 0, 1'000, second));
    EXPECT_FALSE(bucket.take(500, 0, 1'000, 2 * second));
    EXPECT_TRUE(bucket.take(500, 0, 1'000, 3 * second));
}

}  // namespace
}  // namespace fanfare::sim
