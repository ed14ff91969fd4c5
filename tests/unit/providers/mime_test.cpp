#include "core/providers/smtp/mime.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace fanfare::mime {
namespace {

std::string subject(std::string_view value) {
    std::string out;
    append_text_header("Subject", value, out);
    return out;
}

std::string from(std::string_view display, std::string_view address = "a@example.org") {
    std::string out;
    append_mailbox_header("From", display, address, out);
    return out;
}

std::string entity(std::string_view text) {
    std::string out;
    append_entity("text/plain", text, out);
    return out;
}

std::string body(std::string_view text) {
    const auto all = entity(text);
    return all.substr(all.find("\r\n\r\n") + 4);
}

std::size_t longest_line(std::string_view text) {
    std::size_t longest = 0;
    while (!text.empty()) {
        const auto end = text.find("\r\n");
        longest = std::max(longest, end == std::string_view::npos ? text.size() : end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    }
    return longest;
}

TEST(Subject, IsWrittenAsItIsWhereItCanBe) {
    EXPECT_EQ(subject("The show starts in 15 minutes!"),
              "Subject: The show starts in 15 minutes!\r\n");
    EXPECT_EQ(subject(""), "Subject:\r\n");
}

TEST(Subject, BecomesEncodedWords) {
    EXPECT_EQ(subject("J\xC3\xB6rg is live"), "Subject: =?UTF-8?Q?J=C3=B6rg_is_live?=\r\n");
    EXPECT_EQ(subject("\xF0\x9F\x8E\x89"), "Subject: =?UTF-8?B?8J+OiQ==?=\r\n");
    EXPECT_EQ(subject("=?UTF-8?Q?x?="), "Subject: =?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=\r\n");
    EXPECT_EQ(subject(" x"), "Subject: =?UTF-8?Q?_x?=\r\n") << "a blank at the edge is kept";
    EXPECT_EQ(subject("a\r\nBcc: b"), "Subject: a  Bcc: b\r\n");
    EXPECT_EQ(subject("a\xFF"), "Subject: =?UTF-8?B?Ye+/vQ==?=\r\n");
}

TEST(Subject, IsFoldedBetweenWords) {
    std::string emoji;
    for (int i = 0; i < 60; ++i) emoji += "\xF0\x9F\x8E\x89";
    for (const auto& text :
         {emoji, "x" + emoji, std::string(500, 'a'), std::string(300, ' ') + "x"}) {
        const auto written = subject(text);
        EXPECT_LE(longest_line(written), 76U) << written;
        EXPECT_NE(written.find("?=\r\n =?UTF-8?"), std::string::npos);
    }
}

TEST(Mailbox, QuotesOrEncodesTheName) {
    EXPECT_EQ(from(""), "From: a@example.org\r\n");
    EXPECT_EQ(from("Shows and more"), "From: Shows and more <a@example.org>\r\n");
    EXPECT_EQ(from("Shows, \"Inc.\""), "From: \"Shows, \\\"Inc.\\\"\" <a@example.org>\r\n");
    EXPECT_EQ(from("J\xC3\xB6rg, Shows"), "From: =?UTF-8?B?SsO2cmcsIFNob3dz?= <a@example.org>\r\n");
    EXPECT_EQ(from("x\r\nBcc: v@example.com"),
              "From: \"x  Bcc: v@example.com\" <a@example.org>\r\n");
    const auto folded = from(std::string(200, 'n'), std::string(60, 'a') + "@example.org");
    EXPECT_LE(longest_line(folded), 76U) << folded;
}

TEST(TokenHeader, TakesNothingThatEndsIt) {
    std::string out;
    append_token_header("X-A", "a b\r\nBcc: c", out);
    EXPECT_EQ(out, "X-A: a-b--Bcc:-c\r\n");
}

TEST(Entity, IsQuotedPrintable) {
    EXPECT_EQ(entity("J\xC3\xB6rg, this is mostly ASCII = 1"),
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n\r\nJ=C3=B6rg, this is mostly ASCII "
              "=3D 1\r\n");
    EXPECT_EQ(body("a\nb\rc\r\nd"), "a\r\nb\r\nc\r\nd\r\n");
    EXPECT_EQ(body("12345678901 \n2345678901\t"), "12345678901=20\r\n2345678901=09\r\n")
        << "blanks at the end of a line are lost else";
    EXPECT_EQ(body(".x\n..\nFrom here\n--b"), "=2Ex\r\n=2E.\r\n=46rom here\r\n=2D-b\r\n");
    EXPECT_EQ(body(std::string{"a\0b\x7f", 4}), "a b=20\r\n");
}

TEST(Entity, IsBase64WhereThatIsShorter) {
    const auto text = entity("\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82");
    EXPECT_NE(text.find("Encoding: base64\r\n\r\n0J/RgNC40LLQtdGC\r\n"), std::string::npos) << text;
    std::string long_text;
    for (int i = 0; i < 200; ++i) long_text += "\xD0\x9F";
    EXPECT_LE(longest_line(entity(long_text)), 76U);
}

TEST(Entity, BreaksLinesBetweenCharacters) {
    EXPECT_EQ(body(std::string(76, 'x')), std::string(76, 'x') + "\r\n");
    EXPECT_EQ(body(std::string(77, 'x')), std::string(75, 'x') + "=\r\nxx\r\n");
    EXPECT_EQ(body(std::string(71, 'x') + "\xC3\xB6y"), std::string(71, 'x') + "=\r\n=C3=B6y\r\n");
    EXPECT_LE(longest_line(body(std::string(998, '='))), 76U);
}

TEST(Entity, IsAlwaysAsciiOfShortLines) {
    std::mt19937 random{20260101};  // NOLINT: the same cases in every run.
    for (int round = 0; round < 2'000; ++round) {
        std::string bytes(random() % 300, ' ');
        for (auto& c : bytes) c = static_cast<char>(random() % (round % 2 == 0 ? 256 : 128));
        const auto all = entity(bytes) + subject(bytes) + from(bytes);
        ASSERT_LE(longest_line(all), 76U);
        for (std::size_t i = 0; i < all.size(); ++i) {
            ASSERT_TRUE(all[i] > 0 && all[i] < 0x7f);
            ASSERT_EQ(all[i] == '\r', i + 1 < all.size() && all[i + 1] == '\n');
        }
        ASSERT_EQ(all.find("=_"), std::string::npos) << "the boundary could occur";
    }
}

}  // namespace
}  // namespace fanfare::mime
