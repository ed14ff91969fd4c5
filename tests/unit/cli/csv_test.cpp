#include "cli/csv.hpp"

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
    for (const std::string field : {"plain", "a,b", "say \"x\"", "line\nend", "", "\r", "\"\""}) {
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
