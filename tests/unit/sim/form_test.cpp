#include "sim/http/multipart.hpp"
#include "sim/http/text.hpp"

#include <gtest/gtest.h>

namespace fanfare::sim {
namespace {

TEST(Multipart, ReadsTheBoundary) {
    EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc"), "abc");
    EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\""), "a b");
    EXPECT_EQ(multipart_boundary("multipart/form-data"), "");
    EXPECT_EQ(multipart_boundary("text/plain; boundary=abc"), "");
}

TEST(Multipart, CutsPartsAtTheDelimiterOnly) {
    std::vector<Part> parts;
    ASSERT_TRUE(parse_multipart("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n"
                                "a\r\n--bc \r\n--\r\n--b\r\nX: y\r\n"
                                "content-disposition: form-data; name=f; filename=\"g\"\r\n"
                                "Content-Type: text/plain\r\n\r\n\r\n--b--",
                                "bc\x01", parts) == false);
    ASSERT_TRUE(
        parse_multipart("--b1\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n"
                        "a\r\n--b \r\n--\r\n--b1\r\nX: y\r\n"
                        "content-disposition: form-data; name=f; filename=\"g\"\r\n"
                        "Content-Type: text/plain\r\n\r\n\r\n--b1--",
                        "b1", parts));
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[0].name, "x");
    EXPECT_EQ(parts[0].value, "a\r\n--b \r\n--");
    EXPECT_FALSE(parts[0].is_file);
    EXPECT_EQ(parts[1].name, "f");
    EXPECT_EQ(parts[1].value, "");
    EXPECT_TRUE(parts[1].is_file);
}

TEST(Multipart, RefusesEveryTruncation) {
    const std::string body =
        "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nvalue\r\n--b--";
    std::vector<Part> parts;
    ASSERT_TRUE(parse_multipart(body, "b", parts));
    for (std::size_t size = 0; size < body.size(); ++size) {
        EXPECT_FALSE(parse_multipart(body.substr(0, size), "b", parts)) << size;
    }
}

TEST(Form, Decodes) {
    std::string arena;
    std::vector<Field> fields;
    ASSERT_TRUE(parse_form("a=1+2&b=%C3%A9&&c&d=", arena, fields));
    ASSERT_EQ(fields.size(), 4U);
    EXPECT_EQ(fields[0].value, "1 2");
    EXPECT_EQ(fields[1].value, "é");
    EXPECT_EQ(fields[2].name, "c");
    EXPECT_FALSE(parse_form("a=%4", arena, fields));
    EXPECT_FALSE(parse_form("a=%zz", arena, fields));
}

TEST(Text, KnowsUtf8) {
    EXPECT_TRUE(is_valid_utf8("aé€🎵"));
    for (const char* bad :
         {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
        EXPECT_FALSE(is_valid_utf8(bad));
    }
    EXPECT_EQ(count_characters("aé€🎵"), 4U);
}

TEST(Text, Base64UrlHasNoPadding) {
    EXPECT_EQ(decode_base64url("YQ"), "a");
    EXPECT_EQ(decode_base64url("YWI"), "ab");
    EXPECT_EQ(decode_base64url("YWJj"), "abc");
    EXPECT_EQ(decode_base64url("YWJjZ"), std::nullopt);
    EXPECT_EQ(decode_base64url("Y*J"), std::nullopt);
}

}  // namespace
}  // namespace fanfare::sim
