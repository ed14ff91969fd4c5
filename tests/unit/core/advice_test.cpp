#include "core/ledger/advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::ledger {
namespace {

using ::testing::HasSubstr;

Settings settings_of(const std::string& url) {
    Settings settings;
    settings.database.url = Secret{url};
    return settings;
}

TEST(Advice, SaysWhatADatabaseElsewhereIsNotAskedFor) {
    for (const auto* const mode :
         {"", "?sslmode=disable", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca"}) {
        const auto url = std::string{"postgresql://u:hush@db.example.com/ledger"} + mode;
        const auto found = advice(settings_of(url), {});
        ASSERT_EQ(found.size(), 1U) << mode;
        EXPECT_EQ(found[0].key, "database.url");
        EXPECT_THAT(describe(found[0]), HasSubstr("sslmode=verify-full"));
        EXPECT_THAT(describe(found[0]), ::testing::Not(HasSubstr("hush")));
    }
    for (const auto* const fine : {"postgresql://db.example.com/ledger?sslmode=verify-full",
                                   "postgresql://127.0.0.1/ledger", "postgresql:///ledger"}) {
        EXPECT_TRUE(advice(settings_of(fine), {}).empty()) << fine;
    }
}

TEST(Advice, SaysItOfASystemsDatabaseToo) {
    Systems systems;
    systems["shows"].name = "shows";
    systems["shows"].database = Secret{"postgresql://db.example.com/shows"};
    const auto found = advice(settings_of("postgresql:///ledger"), systems);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].file, HasSubstr("shows/system.yaml"));
}

TEST(Advice, SaysThatAQueryIsStoppedWithinTheLease) {
    auto settings = settings_of("postgresql:///ledger");
    Systems systems;
    systems["shows"].name = "shows";
    systems["shows"].statement_timeout = settings.worker.lease / 2;
    EXPECT_TRUE(advice(settings, systems).empty());
    systems["shows"].statement_timeout += std::chrono::milliseconds{1};
    ASSERT_EQ(advice(settings, systems).size(), 1U);
    EXPECT_EQ(advice(settings, systems)[0].key, "statement_timeout_ms");
}

}  // namespace
}  // namespace fanfare::ledger
