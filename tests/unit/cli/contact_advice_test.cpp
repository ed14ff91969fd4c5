#include "cli/contact_advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::cli {
namespace {

TEST(ContactAdviceTest, AQueryThatNamesItsPeopleIsSlower) {
    System system;
    auto& old = system.contacts[static_cast<std::size_t>(Channel::sms)].emplace();
    old.query.sql = "SELECT 1 WHERE 1 = ANY($1::int[])";
    old.query.file = "system.yaml";
    old.query.line = 7;
    auto& plain = system.contacts[static_cast<std::size_t>(Channel::email)].emplace();
    plain.relation = "SELECT 1";
    const auto advice = contact_advice(system);
    ASSERT_EQ(advice.size(), 1U);
    EXPECT_EQ(advice[0].line, 7);
    EXPECT_EQ(advice[0].key, "contacts.sms");
    EXPECT_THAT(advice[0].expected, ::testing::HasSubstr("faster"));
}

}  // namespace
}  // namespace fanfare::cli
