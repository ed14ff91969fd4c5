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
    for (const auto* const body : {"{}", R"({"kind": null, "until": null})"}) {
        Fields absent{body, {"kind", "until"}};
        EXPECT_EQ(absent.text_if_there("kind", 10), "");
        EXPECT_EQ(absent.moment("until", false), "");
        EXPECT_FALSE(absent.fault()) << body;
    }
    Fields given{R"({"kind": "generic"})", {"kind"}};
    EXPECT_EQ(given.text_if_there("kind", 10), "generic");
    EXPECT_FALSE(given.fault());
}

}  // namespace
}  // namespace fanfare::api
