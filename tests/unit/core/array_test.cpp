#include "core/postgres/array.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fanfare::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

std::vector<std::string> parsed(std::string_view literal) {
    TextArray array;
    parse_array(literal, array);
    return {array.elements.begin(), array.elements.end()};
}

std::string written(const std::vector<std::string>& values) {
    std::string literal{"{"};
    for (const auto& value : values) append_element(literal, value);
    literal.push_back('}');
    return literal;
}

TEST(ArrayLiteral, OfPlainWordsIsSplitAtCommas) {
    EXPECT_THAT(parsed("{a,b,c}"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(parsed("{42}"), ElementsAre("42"));
    EXPECT_THAT(parsed("{1,2,3}"), ElementsAre("1", "2", "3"));
}

TEST(ArrayLiteral, WithoutElementsIsEmpty) {
    EXPECT_THAT(parsed("{}"), IsEmpty());
    EXPECT_THAT(parsed(""), IsEmpty());
    EXPECT_EQ(written({}), "{}");
}

TEST(ArrayLiteral, KeepsWhatQuotesProtect) {
    EXPECT_THAT(parsed(R"({"a,b","c}d","{e","say \"hi\"","back\\slash"," x "})"),
                ElementsAre("a,b", "c}d", "{e", R"(say "hi")", R"(back\slash)", " x "));
    EXPECT_THAT(parsed(R"({"",a,""})"), ElementsAre("", "a", ""));
    EXPECT_THAT(parsed(R"({plain,"quoted",plain})"), ElementsAre("plain", "quoted", "plain"));
}

TEST(ArrayLiteral, TellsTheWordNullFromNothing) {
    EXPECT_EQ(written({"NULL", ""}), R"({"NULL",""})");
    EXPECT_THAT(parsed(R"({"NULL","null",""})"), ElementsAre("NULL", "null", ""));
}

TEST(ArrayLiteral, ReplacesWhatAnArrayHeldBefore) {
    TextArray array;
    parse_array("{a,b,c,d,e,f,g,h}", array);
    parse_array("{z}", array);
    EXPECT_THAT(array.elements, ElementsAre("z"));
}

TEST(ArrayLiteral, StaysReadableWhenTheArrayMoves) {
    // Short ones fit into the string object itself, whose bytes do not move along.
    for (const std::string_view literal : {"{7}", "{u1,u2}", "{12345,12346,12}",
                                           "{a-much-longer-identifier,another-long-identifier}"}) {
        TextArray array;
        parse_array(literal, array);
        const std::vector<std::string> before{array.elements.begin(), array.elements.end()};
        const TextArray moved = std::move(array);
        array.storage.assign("overwritten!!!!");
        EXPECT_THAT(moved.elements, ElementsAreArray(before));
    }
}

TEST(ArrayLiteral, CannotBeCopiedFromUnderItsViews) {
    EXPECT_FALSE(std::is_copy_constructible_v<TextArray>);
    EXPECT_FALSE(std::is_copy_assignable_v<TextArray>);
}

class ArrayProperty : public ::testing::TestWithParam<unsigned> {};

TEST_P(ArrayProperty, IsReadAsItWasWritten) {
    std::mt19937 random{GetParam()};
    const std::vector<std::string> pieces{
        "a",    "Z",    "0",  "\"",   "\\",   ",", "{",    "}", " ",        "\t", "\n", "'",
        "NULL", "null", "$1", "\\\\", "\"\"", "é", "日本", "🎉", "\xcc\x81", "%",  ";",  "--"};
    const auto below = [&](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
    };
    for (int round = 0; round < 500; ++round) {
        std::vector<std::string> values(below(12));
        for (auto& value : values) {
            for (auto length = below(6); length > 0; --length)
                value += pieces[below(pieces.size())];
        }
        const auto literal = written(values);
        ASSERT_THAT(parsed(literal), ElementsAreArray(values)) << literal;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ArrayProperty, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace fanfare::postgres
