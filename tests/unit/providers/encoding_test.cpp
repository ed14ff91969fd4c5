#include "core/providers/encoding.hpp"

#include "core/crypto/digest.hpp"
#include "core/providers/bytes.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <random>

namespace fanfare {
namespace {

std::string json(std::string_view text) {
    std::string out;
    append_json(text, out);
    return out;
}

std::string percent(std::string_view text) {
    std::string out;
    append_percent_encoded(text, out);
    return out;
}

TEST(Encoding, EscapesForJson) {
    EXPECT_EQ(json("plain"), "plain");
    EXPECT_EQ(json("a\"b\\c\nd\te"), R"(a\"b\\c\nd\te)");
    EXPECT_EQ(json(std::string_view{"\0\r\x1F\x7F", 4}), "    ");
    EXPECT_EQ(json("\xC3\xA9\xF0\x9F\x8E\x89"), "\xC3\xA9\xF0\x9F\x8E\x89");
}

TEST(Encoding, EscapesForForms) {
    EXPECT_EQ(percent("+1 a&b=c~d-e_f.g"), "%2B1%20a%26b%3Dc~d-e_f.g");
    EXPECT_EQ(percent("\xC3\xA9\n\r"), "%C3%A9%0A%20");
    EXPECT_EQ(percent("\xFF"), "%EF%BF%BD");
}

TEST(Encoding, ReplacesEveryMalformedSequence) {
    for (const std::string bad :
         {"\x80", "\xC0\xAF", "\xC1\x81", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xE2\x82", "\xF0\x9F\x8E", "\xC3"}) {
        std::string expected;
        for (std::size_t i = 0; i < bad.size(); ++i) expected += "\xEF\xBF\xBD";
        EXPECT_EQ(json(bad), expected);
        EXPECT_EQ(json("a" + bad), "a" + expected);
    }
}

TEST(Encoding, AlwaysGivesJsonThatParses) {
    std::mt19937 random{7};  // NOLINT: the same cases in every run.
    for (int round = 0; round < 5000; ++round) {
        std::string text(random() % 40, ' ');
        for (char& c : text) c = static_cast<char>(random() % 256);
        boost::json::error_code error;
        const auto parsed = boost::json::parse("\"" + json(text) + "\"", error);
        EXPECT_FALSE(error) << json(text);
    }
}

TEST(Encoding, WritesBase64) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64url("\xFB\xEF\xFF\xFE"), "--___g");
}

TEST(Encoding, WritesBasicAuthorizationOfTheVectors) {
    EXPECT_EQ(basic_authorization("api", "key-0123456789abcdef0123456789abcdef"),
              "Authorization: Basic "
              "YXBpOmtleS0wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==");
    EXPECT_EQ(basic_authorization("AC00000000000000000000000000000001",
                                  "0123456789abcdef0123456789abcdef"),
              "Authorization: Basic "
              "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OW"
              "FiY2RlZg==");
}

TEST(Encoding, TellsTemplateWordsFromPercentEncodedBytes) {
    const auto begins = [](std::string_view text) {
        return bytes::begins_word(text.data(), text.data() + text.size());
    };
    for (const char* word :
         {"recipient.x%", "unsubscribe_url%", "tag_unsubscribe_url%", "_x", "aX"}) {
        EXPECT_TRUE(begins(word)) << word;
    }
    for (const char* none : {"", "C3%A9", "20x", " off", "%", ";", "5"}) {
        EXPECT_FALSE(begins(none)) << none;
    }
}

}  // namespace
}  // namespace fanfare
