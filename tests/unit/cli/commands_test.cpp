#include "core/program/commands.hpp"
#include "core/program/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using testing::ElementsAre;

/// What a program heard, and the code that it would end with.
struct Heard {
    std::vector<std::string> calls, jobs;
    int limit = 20;
    std::optional<int> code;
};

Heard hear(std::vector<std::string> words) {
    Heard heard;
    CommandLine line{"A program", "program"};
    line.root().needs_command();
    line.options_anywhere();
    const auto note = [&heard](const char* call) {
        return [&heard, call] { heard.calls.emplace_back(call); };
    };
    const auto list = line.root().command("list", "All");
    list.option("--job", heard.jobs, "Jobs").cut_at_commas();
    list.option("-n", heard.limit, "How many").within(1, 100).shows_default();
    list.given(note("list"));
    const auto one = list.command("one", "One");
    const auto which = one.exactly_one("which", "Which");
    std::string kind, channel;
    which.option("--kind", kind, "A kind");
    which.option("--channel", channel, "A channel").one_of({"email", "sms"});
    one.given(note("one"));
    words.insert(words.begin(), "program");
    std::vector<char*> raw;
    for (auto& word : words) raw.push_back(word.data());
    heard.code = line.read(static_cast<int>(raw.size()), raw.data());
    return heard;
}

TEST(Commands, AreGivenWhereNoneOfTheirOwnIs) {
    EXPECT_THAT(hear({"list"}).calls, ElementsAre("list"));
    EXPECT_THAT(hear({"list", "one", "--kind", "a"}).calls, ElementsAre("one"));
}

TEST(Commands, FillWhatTheirOptionsName) {
    const auto heard = hear({"list", "--job", "1,2", "-n", "7"});
    EXPECT_EQ(heard.code, std::nullopt);
    EXPECT_THAT(heard.jobs, ElementsAre("1", "2"));
    EXPECT_EQ(heard.limit, 7);
    EXPECT_EQ(hear({"list"}).limit, 20);
}

TEST(Commands, EndWithACodeWhereTheyAreMistaken) {
    EXPECT_EQ(hear({}).code, exit_usage);
    EXPECT_EQ(hear({"list", "-n", "0"}).code, exit_usage);
    EXPECT_EQ(hear({"list", "one"}).code, exit_usage);
    EXPECT_EQ(hear({"list", "one", "--kind", "a", "--channel", "sms"}).code, exit_usage);
    EXPECT_EQ(hear({"list", "one", "--channel", "fax"}).code, exit_usage);
    EXPECT_EQ(hear({"--help"}).code, exit_ok);
}

}  // namespace
}  // namespace fanfare
