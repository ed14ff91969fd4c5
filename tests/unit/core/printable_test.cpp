#include "core/domain/printable.hpp"

#include "core/observe/log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fanfare {
namespace {

struct Case {
    std::string_view text;
    std::string_view line;
    std::string_view lines;
    std::string_view json;
};

TEST(Printable, TakesOutWhatDrivesATerminalOrTurnsTextAround) {
    const Case cases[]{
        {"plain ~", "plain ~", "plain ~", "plain ~"},
        {"Zoë 日本 🎉", "Zoë 日本 🎉", "Zoë 日本 🎉", "Zoë 日本 🎉"},
        {"a\x1b[2Jb", "a?[2Jb", "a?[2Jb", "a\\u001b[2Jb"},
        {"a\nb\tc\rd", "a?b?c?d", "a\nb?c?d", "a\nb\tcd"},
        {std::string_view{"a\0b", 3}, "a?b", "a?b", "a\\u0000b"},
        {"del\x7f", "del?", "del?", "del\\u007f"},
        {"c1 \xC2\x9B\xC2\x85", "c1 ??", "c1 ??", "c1 \\u009b\\u0085"},
        {"\xC2\xA0", "\xC2\xA0", "\xC2\xA0", "\xC2\xA0"},
        {"u\xE2\x80\xAEtxt", "u?txt", "u?txt", "u\\u202etxt"},
        {"\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C\xE2\x81\xA6\xE2\x81\xA9", "?????", "?????",
         "\\u200e\\u200f\\u061c\\u2066\\u2069"},
        {"\xE2\x80\xA8\xE2\x80\xA9", "??", "??", "\\u2028\\u2029"},
        {"bad \xFF\xC2", "bad \xEF\xBF\xBD\xEF\xBF\xBD", "bad \xEF\xBF\xBD\xEF\xBF\xBD",
         "bad \xEF\xBF\xBD\xEF\xBF\xBD"},
        // A control character in more bytes than it needs, a surrogate, and beyond the last one.
        {"\xC0\x9B", "\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD",
         "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE0\x82\x9B", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD",
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD",
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}};
    for (const auto& [text, line, lines, json] : cases) {
        EXPECT_EQ(printable(text), line);
        EXPECT_EQ(printable_lines(text), lines);
        EXPECT_EQ(printable_json(text), json);
        EXPECT_EQ(printable(printable(text)), line) << "once is enough";
    }
    EXPECT_EQ(printable("a\nb\x7f", ' '), "a b ");
}

std::string logged(std::string_view format, std::string_view message) {
    const auto formatter = log_formatter(format);
    const spdlog::details::log_msg event{
        "program", spdlog::level::warn, {message.data(), message.size()}};
    spdlog::memory_buf_t out;
    formatter->format(event, out);
    return {out.data(), out.size()};
}

TEST(Log, IsOneLineAnEventWhateverItSays) {
    const std::string_view hostile{"a\nb\x1b[31m\xE2\x80\xAE\xC2\x9B\xFF"};
    const auto json = logged("json", hostile);
    EXPECT_TRUE(json.ends_with("\"message\":\"a\\nb?[31m??\xEF\xBF\xBD\"}\n")) << json;
    const auto text = logged("text", hostile);
    EXPECT_TRUE(text.ends_with(" program warning a b?[31m??\xEF\xBF\xBD\n")) << text;
}

}  // namespace
}  // namespace fanfare
