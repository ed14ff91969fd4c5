#include "cli/given.hpp"

#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

namespace fanfare::cli {
namespace {

/// A program with all ways to give something.
class Given : public testing::Test {
protected:
    std::string said(std::vector<std::string> words) {
        CLI::App app{"A program"};
        std::string text, job, file;
        std::optional<std::string> whom;
        std::optional<std::int64_t> seconds;
        std::vector<std::string> channels, reasons, asked;
        bool flag = false;
        app.add_option("-c,--config", text);
        app.fallthrough();
        auto* const publish = app.add_subcommand("publish");
        publish->add_option("--recipients", whom);
        publish->add_option("--channel", channels)->take_all();
        publish->add_option("--reason", reasons)->delimiter(',');
        publish->add_option("--ttl-s", seconds);
        publish->add_option("file", file);
        publish->add_flag("-w,--wait", flag);
        auto* const pause = app.add_subcommand("pause");
        pause->add_option_group("what")->add_option("--job", job);
        auto* const candidates = app.add_subcommand("completion")->add_subcommand("candidates");
        candidates->group("")->add_option("words", asked);
        std::reverse(words.begin(), words.end());
        try {
            app.parse(words);
        } catch (const CLI::ParseError& fault) {
            return "refused";
        }
        return empty_option(app) + unreadable_option(app);
    }
};

TEST_F(Given, IsSaidOfWhatIsNoText) {
    EXPECT_EQ(said({"publish", "--recipients", "caf\xe9"}),
              "--recipients is given, but no UTF-8 text");
    EXPECT_EQ(said({"publish", "--channel", "email", "--channel", "\xff"}),
              "--channel is given, but no UTF-8 text");
    EXPECT_EQ(said({"publish", "--recipients", "caf\u00e9"}), "");
    EXPECT_EQ(said({"completion", "candidates", "\xff"}), "");
}

TEST_F(Given, IsSaidOfWhatIsEmpty) {
    EXPECT_EQ(said({"publish", "--recipients", ""}), "--recipients is given, but empty");
    EXPECT_NE(said({"publish", "--recipients="}), "");
    EXPECT_EQ(said({"publish", "--recipients", " \u00a0\u200b\n"}),
              "--recipients is given, but empty");
    EXPECT_EQ(said({"publish", "--channel", "email", "--channel", ""}),
              "--channel is given, but empty");
    EXPECT_EQ(said({"publish", ""}), "file is given, but empty");
    EXPECT_EQ(said({"pause", "--job", ""}), "--job is given, but empty");
    EXPECT_EQ(said({"-c", "", "publish"}), "--config is given, but empty");
    EXPECT_EQ(said({"publish", "-c", ""}), "--config is given, but empty");
    for (const auto* const nothing : {"", ",", ",,"}) {
        EXPECT_NE(said({"publish", "--reason", nothing}), "") << nothing;
    }
    EXPECT_NE(said({"publish", "--ttl-s", ""}), "");
    EXPECT_NE(said({"publish", "--channel", "[]"}), "");
}

TEST_F(Given, IsNotSaidOfWhatIsNotThere) {
    EXPECT_EQ(said({"publish"}), "");
    EXPECT_EQ(said({"publish", "-w", "--recipients", "a", "--reason", "a,", "--ttl-s", "0", "x"}),
              "");
    EXPECT_EQ(said({"pause", "--job", "x"}), "");
    EXPECT_EQ(said({"completion", "candidates", "--", "publish", ""}), "") << "a shell asks";
}

}  // namespace
}  // namespace fanfare::cli
