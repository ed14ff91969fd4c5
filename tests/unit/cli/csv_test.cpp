#include "core/wire/csv_reader.hpp"

#include "core/wire/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace fanfare::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Fields = std::vector<std::string>;

std::vector<Fields> read_all(const std::string& text) {
    std::istringstream in{text};
    CsvReader reader{in};
    std::vector<Fields> records;
    Fields fields;
    while (reader.next(fields)) records.push_back(fields);
    EXPECT_EQ(reader.fault(), "") << text;
    return records;
}

TEST(Csv, ReadsRecordsHoweverTheyAreWritten) {
    const std::vector<Fields> two{{"email", "a@example.com"}, {"sms", "+1"}};
    EXPECT_EQ(read_all("email,a@example.com\nsms,+1\n"), two);
    EXPECT_EQ(read_all("email,a@example.com\r\nsms,+1"), two);
    EXPECT_EQ(read_all("\n\r\nemail,a@example.com\n\nsms,+1\n\n"), two);
    EXPECT_EQ(read_all("\xEF\xBB\xBF\"email\",\"a@example.com\"\r\nsms,\"+1\"\r\n"), two);
    EXPECT_EQ(read_all(""), std::vector<Fields>{});
    EXPECT_EQ(read_all("a,,\n"), (std::vector<Fields>{{"a", "", ""}}));
    EXPECT_EQ(read_all("\"a,\"\"b\"\"\n\",c"), (std::vector<Fields>{{"a,\"b\"\n", "c"}}));
}

TEST(Csv, ReadsWhatSpreadsheetsSave) {
    const std::vector<Fields> two{{"id", "name"}, {"u1", "Zoë 🎉"}};
    EXPECT_EQ(read_all("id;name\r\nu1;Zoë 🎉\r\n"), two);
    EXPECT_EQ(read_all("id\tname\ru1\tZoë 🎉\r"), two);
    for (const bool big : {false, true}) {
        std::string text;
        for (const char16_t unit : std::u16string{u"\uFEFFid,name\r\nu1,Zoë 🎉\r\n"}) {
            const auto high = static_cast<char>(unit >> 8U);
            const auto low = static_cast<char>(unit & 0xFFU);
            text.push_back(big ? high : low);
            text.push_back(big ? low : high);
        }
        EXPECT_EQ(read_all(text), two) << big;
    }
}

TEST(Csv, TakesTheSeparatorThatItsFirstLineNames) {
    const std::vector<Fields> two{{"id", "a,b"}, {"u1", "x"}};
    EXPECT_EQ(read_all("sep=;\nid;a,b\nu1;x\n"), two);
    EXPECT_EQ(read_all("\xEF\xBB\xBFsep=|\r\nid|a,b\r\nu1|x\r\n"), two);
    EXPECT_EQ(read_all("sep=\t\nid\ta,b\nu1\tx"), two);
    EXPECT_EQ(read_all("sep=\n"), (std::vector<Fields>{{"sep="}}));
    EXPECT_EQ(read_all("sep=ab\nc"), (std::vector<Fields>{{"sep=ab"}, {"c"}}));
    std::istringstream in{"sep=;\nid;b\n"};
    CsvReader reader{in};
    Fields fields;
    ASSERT_TRUE(reader.next(fields));
    EXPECT_EQ(reader.line(), 2U);
}

TEST(Csv, EndsLinesAsUnicodeDoesWhereverItsBlocksEnd) {
    const std::vector<Fields> two{{"a"}, {"b"}};
    for (const auto* const end : {"\u2028", "\u2029", "\u0085"}) {
        EXPECT_EQ(read_all(std::string{"a"} + end + "b"), two);
        EXPECT_EQ(read_all(std::string{"\"a"} + end + "b\""),
                  (std::vector<Fields>{{std::string{"a"} + end + "b"}}));
        for (std::size_t before = 65'530; before < 65'540; ++before) {
            std::string text(before, '\n');
            EXPECT_EQ(read_all(text + "a" + end + "b"), two) << before;
        }
    }
    EXPECT_EQ(read_all("\u00c5\u20ac"), (std::vector<Fields>{{"\u00c5\u20ac"}}));
}

TEST(Csv, RefusesWhatIsNoText) {
    using namespace std::string_literals;
    for (const auto& text : {"a\0b\0\n\0"s, "Zo\xEB\n"s, "PK\x03\x04..."s,
                             "\xFF\xFE"
                             "a\0b"s}) {
        std::istringstream in{text};
        CsvReader reader{in};
        Fields fields;
        EXPECT_FALSE(reader.next(fields)) << text;
        EXPECT_NE(reader.fault(), "") << text;
        EXPECT_EQ(reader.line(), 1U);
    }
}

TEST(Csv, NoCellIsAFormula) {
    for (const std::string field :
         {"=1+1", "+15550100", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"}) {
        std::string text;
        append_csv(field, text);
        EXPECT_EQ(text[text[0] == '"' ? 1 : 0], '\'') << text;
        EXPECT_EQ(read_all(text), (std::vector<Fields>{{field}})) << text;
    }
}

TEST(Csv, TellsWhereARecordBeganAndWhatIsWrong) {
    std::istringstream in{"a,b\n\"x\ny\",z\nbad\"quote,1\n"};
    CsvReader reader{in};
    Fields fields;
    ASSERT_TRUE(reader.next(fields));
    ASSERT_TRUE(reader.next(fields));
    EXPECT_EQ(reader.line(), 2U);
    EXPECT_FALSE(reader.next(fields));
    EXPECT_EQ(reader.line(), 4U);
    EXPECT_THAT(reader.fault(), HasSubstr("quote"));
    std::istringstream open{"\"never closed"};
    CsvReader other{open};
    EXPECT_FALSE(other.next(fields));
    EXPECT_THAT(other.fault(), HasSubstr("never closed"));
    std::istringstream endless{std::string(100'000, 'x')};
    CsvReader third{endless};
    EXPECT_FALSE(third.next(fields));
    EXPECT_THAT(third.fault(), HasSubstr("64 KiB"));
}

TEST(Csv, ReadsWhatItWrote) {
    for (const std::string field :
         {"plain", "a,b", "say \"x\"", "line\nend", "", "\r", "\"\"", "'", "'=1", "''+1", "O'Neil",
          "a;b", "a\tb", "+1", "=\"x\"", "a\u0085b", "\u2028", "a\u2029"}) {
        std::string text;
        append_csv(field, text);
        text.push_back(',');
        append_csv(field, text);
        text.push_back('\n');
        EXPECT_THAT(read_all(text), ElementsAre(ElementsAre(field, field))) << text;
    }
}

}  // namespace
}  // namespace fanfare::cli
