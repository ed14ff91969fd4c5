#include "cli/candidates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

namespace fanfare::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Candidates : public testing::Test {
protected:
    Candidates() {
        app_.add_option("-c,--config", text_, "Settings");
        app_.add_flag("--json", flag_, "JSON");
        app_.set_version_flag("--version", "1");
        auto* const publish = app_.add_subcommand("publish", "Order");
        publish->add_option("--channel", text_, "Channel");
        publish->add_option("--lane", text_, "Lane");
        publish->add_flag("-w,--wait", flag_, "Follow");
        publish->add_option("file", text_, "A file");
        auto* const db = app_.add_subcommand("db", "Tables");
        db->add_subcommand("migrate", "Up to date");
        db->add_subcommand("status", "Which");
        auto* const pause = app_.add_subcommand("pause", "Hold back");
        pause->add_option_group("what", "One of these")->add_option("--job", text_, "A job");
        app_.add_subcommand("asked", "By scripts")->group("");
    }

    std::vector<std::string> words(const std::vector<std::string>& line) {
        std::vector<std::string> all;
        for (const auto& each : candidates(app_, line)) all.push_back(each.word);
        return all;
    }

    CLI::App app_{"A program"};
    std::string text_;
    bool flag_ = false;
};

TEST_F(Candidates, AreTheCommandsThatBeginSo) {
    EXPECT_THAT(words({""}), UnorderedElementsAre("publish", "db", "pause"));
    EXPECT_THAT(words({}), UnorderedElementsAre("publish", "db", "pause"));
    EXPECT_THAT(words({"pu"}), ElementsAre("publish"));
    EXPECT_THAT(words({"x"}), IsEmpty());
    EXPECT_THAT(words({"db", ""}), UnorderedElementsAre("migrate", "status"));
    EXPECT_THAT(words({"db", "migrate", ""}), IsEmpty());
    EXPECT_EQ(candidates(app_, {"pu"}).front().about, "Order");
}

TEST_F(Candidates, AreTheOptionsOfTheCommandAndOfTheProgram) {
    EXPECT_THAT(words({"--"}), UnorderedElementsAre("--help", "--config", "--json", "--version"));
    EXPECT_THAT(words({"publish", "--"}), UnorderedElementsAre("--help", "--config", "--json",
                                                               "--channel", "--lane", "--wait"));
    EXPECT_THAT(words({"publish", "--wait", "--la"}), ElementsAre("--lane"));
}

TEST_F(Candidates, AreTheOptionsOfAGroupToo) {
    EXPECT_THAT(words({"pause", "--j"}), UnorderedElementsAre("--job", "--json"));
    EXPECT_THAT(words({"pause", "--job", "x", ""}), IsEmpty());
    EXPECT_THAT(words({"pause", "--job", "--"}), IsEmpty());
}

TEST_F(Candidates, AreTheWordsThatAnOptionTakes) {
    EXPECT_THAT(words({"publish", "--channel", ""}), ElementsAre("email", "sms", "push"));
    EXPECT_THAT(words({"publish", "--channel", "=", "p"}), ElementsAre("push"));
    EXPECT_THAT(words({"publish", "--channel", "="}), ElementsAre("email", "sms", "push"));
    EXPECT_THAT(words({"publish", "--wait", "--lane", "u"}), ElementsAre("urgent"));
}

TEST_F(Candidates, AreNoneWhereAFileIsWanted) {
    EXPECT_THAT(words({"--config", ""}), IsEmpty());
    EXPECT_THAT(words({"-c", "--"}), IsEmpty());
    EXPECT_THAT(words({"publish", "x"}), IsEmpty());
}

TEST_F(Candidates, FollowTheWordsAndNotTheValuesOfOptions) {
    EXPECT_THAT(words({"-c", "publish", "db", "m"}), ElementsAre("migrate"));
    EXPECT_THAT(words({"--config=publish", "db", "m"}), ElementsAre("migrate"));
    EXPECT_THAT(words({"--json", "db", "m"}), ElementsAre("migrate"));
}

}  // namespace
}  // namespace fanfare::cli
