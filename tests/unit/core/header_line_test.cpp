#include "core/http/exchange.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

TEST(HeaderLine, IsNameColonValue) {
    EXPECT_EQ(header_line("Content-Type", "application/json"), "Content-Type: application/json");
    EXPECT_EQ(header_line("X-Empty", ""), "X-Empty: ");
}

TEST(HeaderLine, CannotBeginAnotherLine) {
    EXPECT_EQ(header_line("X-Tag", "a\r\nBcc: everyone"), "X-Tag: a  Bcc: everyone");
    EXPECT_EQ(header_line("X-Tag", std::string{"a\0b", 3}), "X-Tag: a b");
}

TEST(HeaderLine, ReplacesEveryControlCharacterAndNothingElse) {
    for (int code = 0; code < 256; ++code) {
        const char c = static_cast<char>(code);
        const bool control = code < 0x20 || code == 0x7f;
        EXPECT_EQ(header_line("N", std::string{c}), std::string{"N: "} + (control ? ' ' : c))
            << code;
    }
}

TEST(HttpAnswerTest, ThatIsMadeNewKeepsTheRoomOfItsTextsButNotOfLargeOnes) {
    HttpAnswer answer;
    answer.status = 429;
    answer.transport = Transport::answered;
    answer.body.assign(5'000, 'x');
    answer.date.assign(5'000, 'x');
    answer.message_id.assign(40, 'x');
    make_new(answer);
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.transport, Transport::not_sent);
    EXPECT_EQ(answer.body + answer.date + answer.message_id, "");
    EXPECT_LT(answer.body.capacity(), 100U);
    EXPECT_LT(answer.date.capacity(), 100U);
    EXPECT_GE(answer.message_id.capacity(), 40U);
}

}  // namespace
}  // namespace fanfare
