// Whom a replay is to choose, as people and programs write it.
#include "core/ledger/replay_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;

std::string fault_of(const ReplayWords& words) {
    const auto read = read_words(words);
    const auto* const fault = std::get_if<WordFault>(&read);
    return fault == nullptr ? "none" : std::string{fault->field} + "|" + fault->problem;
}

ReplayWords some() {
    ReplayWords words;
    words.system = "shows";
    return words;
}

TEST(ReplayWordsTest, WhatIsNotSaidIsFailed) {
    const auto read = read_words(some());
    ASSERT_TRUE(std::holds_alternative<ReplayFilter>(read));
    EXPECT_THAT(std::get<ReplayFilter>(read).outcomes, ElementsAre(Outcome::failed));
}

TEST(ReplayWordsTest, SomeJobsMustBeMeant) {
    EXPECT_EQ(fault_of({}), "|of which jobs?");
    ReplayWords words;
    words.channel = "email";
    words.account = "mail";
    words.until = "2026-11-28T09:30:00Z";
    EXPECT_EQ(fault_of(words), "|of which jobs?") << "these choose people, not jobs";
    words.since = "2026-11-28T09:00:00Z";
    EXPECT_EQ(fault_of(words), "none");
}

TEST(ReplayWordsTest, WhoMayHaveItIsAskedForInSoManyWords) {
    auto words = some();
    words.outcomes = {"failed", "unknown"};
    EXPECT_THAT(fault_of(words), ::testing::HasSubstr("include_unknown|"));
    words.include_unknown = true;
    EXPECT_EQ(fault_of(words), "none");
    words.outcomes = {};
    EXPECT_THAT(std::get<ReplayFilter>(read_words(words)).outcomes,
                ElementsAre(Outcome::failed, Outcome::unknown));
}

TEST(ReplayWordsTest, WordsThatAreNoneAreNamed) {
    auto words = some();
    words.outcomes = {"sent"};
    EXPECT_THAT(fault_of(words), ::testing::HasSubstr("outcomes|sent"));
    words = some();
    words.reasons = {"bad_luck"};
    EXPECT_EQ(fault_of(words), "reasons|bad_luck is none");
    words = some();
    words.channel = "pigeon";
    EXPECT_EQ(fault_of(words), "channel|pigeon is none");
    words = some();
    words.jobs = {"7"};
    EXPECT_EQ(fault_of(words), "jobs|7 is none");
    words = some();
    words.since = "yesterday";
    EXPECT_EQ(fault_of(words), "since|yesterday is none");
}

TEST(ReplayWordsTest, AJobIsNamedInAnyCase) {
    ReplayWords words;
    words.jobs = {"0F0E0D0C-0B0A-0908-0706-050403020100"};
    EXPECT_THAT(std::get<ReplayFilter>(read_words(words)).jobs,
                ElementsAre("0f0e0d0c-0b0a-0908-0706-050403020100"));
}

TEST(ReplayWordsTest, WhatIsKeptIsReadAsItWas) {
    auto words = some();
    words.jobs = {"0f0e0d0c-0b0a-0908-0706-050403020100"};
    words.kind = "show.reminder";
    words.subject = "s'1 \"x\"";
    words.channel = "sms";
    words.account = "texts";
    words.outcomes = {"refused", "expired"};
    words.reasons = {"account_unusable", "past_expiry"};
    words.since = "2026-11-28T09:30:00.123456Z";
    words.until = "2026-11-29T09:30:00+02:00";
    auto filter = std::get<ReplayFilter>(read_words(words));
    filter.systems = {"shows", "tickets"};
    filter.sources = {"o'brien"};
    const auto kept = to_json(filter);
    EXPECT_EQ(to_json(parse_filter(kept)), kept);
    EXPECT_EQ(parse_filter(kept).since, filter.since);
    EXPECT_THAT(parse_filter(kept).sources, ElementsAre("o'brien"));
    EXPECT_EQ(parse_filter(kept).channel, Channel::sms);
}

}  // namespace
}  // namespace fanfare::ledger
