#include "cli/known_words.hpp"

#include <gtest/gtest.h>

namespace fanfare::cli {
namespace {

const std::vector<std::string> commands{"publish", "status", "delivery", "notifications", "db"};

TEST(KnownWords, TellWhatWasMeant) {
    EXPECT_EQ(unknown_command("", "stauts", commands),
              "unknown command stauts; did you mean fanfare status?");
    EXPECT_EQ(unknown_command("", "notification", commands),
              "unknown command notification; did you mean fanfare notifications?");
    EXPECT_EQ(unknown_command("", "help", commands),
              "unknown command help; did you mean fanfare --help?");
    EXPECT_EQ(unknown_command("", "resend", commands),
              "unknown command resend; did you mean fanfare replay?");
    EXPECT_EQ(unknown_command("db", "migrat", {"migrate", "status"}),
              "unknown command db migrat; did you mean fanfare db migrate?");
}

TEST(KnownWords, DoNotGuessWildly) {
    EXPECT_EQ(unknown_command("", "frobnicate", commands),
              "unknown command frobnicate; fanfare --help lists them");
    EXPECT_EQ(unknown_command("db", "help", {"migrate", "status"}),
              "unknown command db help; fanfare db --help lists them");
    EXPECT_EQ(unknown_command("", "a\nb\x1b[2J", commands).find('\n'), std::string::npos);
}

}  // namespace
}  // namespace fanfare::cli
