#include "producer/api/fields.hpp"

#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

TEST(Fields, WhatIsThereAndEmptyNeverCountsAsAbsent) {
    Fields empty{R"({"kind": ""})", {"kind"}};
    EXPECT_EQ(empty.text_if_there("kind", 10), "");
    ASSERT_TRUE(empty.fault());
    EXPECT_EQ(empty.fault()->status, 422);
    Fields for_ever{R"({"until": ""})", {"until"}};
    EXPECT_EQ(for_ever.moment("until", false), "");
    EXPECT_TRUE(for_ever.fault());
    for (const auto* const body : {"{}", "{ }"}) {
        Fields absent{body, {"kind", "until"}};
        EXPECT_EQ(absent.text_if_there("kind", 10), "");
        EXPECT_EQ(absent.moment("until", false), "");
        EXPECT_FALSE(absent.fault()) << body;
    }
    Fields given{R"({"kind": "generic"})", {"kind"}};
    EXPECT_EQ(given.text_if_there("kind", 10), "generic");
    EXPECT_FALSE(given.fault());
}

TEST(Fields, WholeNumbersMayHaveAPointOrAnExponent) {
    Fields fields{R"({"a": 1000.0, "b": 1e3, "c": 7, "d": 1.5})", {"a", "b", "c", "d"}};
    EXPECT_EQ(fields.whole_or("a", 1, 9'000, 0), 1'000);
    EXPECT_EQ(fields.whole_or("b", 1, 9'000, 0), 1'000);
    EXPECT_EQ(fields.whole_or("c", 1, 9'000, 0), 7);
    EXPECT_FALSE(fields.fault());
    std::ignore = fields.whole_or("d", 1, 9'000, 0);
    EXPECT_TRUE(fields.fault());
}

TEST(Fields, ANullIsRefused) {
    Fields unset{R"({"system": "shows", "subject": null})", {"system", "subject"}};
    ASSERT_TRUE(unset.fault());
    EXPECT_EQ(unset.fault()->status, 422);
    EXPECT_NE(unset.fault()->body.find("/subject"), std::string::npos);
    Fields given{R"({"system": "shows"})", {"system", "subject"}};
    EXPECT_FALSE(given.fault());
}

TEST(Fields, BoundsAreThoseThatCount) {
    Fields fields{R"({"because": "too long"})", {"because"}};
    static_cast<void>(fields.text("because", 5));
    ASSERT_TRUE(fields.fault());
    EXPECT_NE(fields.fault()->body.find("1 to 5 bytes"), std::string::npos);
    Fields rate{R"({"a": 0.5, "b": 0, "c": "x"})", {"a", "b", "c", "d"}};
    EXPECT_EQ(rate.real_if_there("a", 0.01, 9), 0.5);
    EXPECT_EQ(rate.real_if_there("d", 0.01, 9), std::nullopt);
    EXPECT_FALSE(rate.fault());
    EXPECT_EQ(rate.real_if_there("b", 0.01, 9), std::nullopt);
    EXPECT_TRUE(rate.fault());
}

}  // namespace
}  // namespace fanfare::api
