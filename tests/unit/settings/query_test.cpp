#include "core/systems/query.hpp"

#include <gmock/gmock.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

BoundQuery bound(std::string_view text) {
    auto result = bind_parameters(text);
    if (const auto* fault = std::get_if<QueryFault>(&result)) {
        ADD_FAILURE() << text << ": found " << fault->found << ", expected " << fault->expected;
        return {};
    }
    return std::get<BoundQuery>(result);
}

TEST(Query, NumbersParametersByFirstUseAndCastsThem) {
    const auto query =
        bound("SELECT :b, :a FROM t WHERE x = :b AND y = ANY(:recipients) AND z < :horizon");
    EXPECT_EQ(query.sql,
              "SELECT $1::text, $2::text FROM t WHERE x = $1::text AND y = ANY($3::text[]) AND "
              "z < $4::timestamptz");
    EXPECT_THAT(query.parameters, ElementsAre("b", "a", "recipients", "horizon"));
}

TEST(Query, LeavesCastsAlone) {
    EXPECT_EQ(bound("SELECT :a::uuid, b::int, '1'::text[]").sql,
              "SELECT $1::text::uuid, b::int, '1'::text[]");
}

TEST(Query, KeepsAParameterApartFromTheWordBeforeIt) {
    EXPECT_EQ(bound("SELECT a:b, 1:b, x$:b").sql, "SELECT a $1::text, 1 $1::text, x$ $1::text");
}

struct Untouched {
    std::string name;
    std::string text;
};
void PrintTo(const Untouched& each, std::ostream* out) { *out << each.name; }
class UntouchedTest : public ::testing::TestWithParam<Untouched> {};

TEST_P(UntouchedTest, HasNoParameters) {
    const auto query = bound(GetParam().text);
    EXPECT_EQ(query.sql, GetParam().text);
    EXPECT_THAT(query.parameters, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Texts, UntouchedTest,
    ::testing::Values(Untouched{"String", "SELECT ':a'"},
                      Untouched{"DoubledQuote", "SELECT 'it''s :a'"},
                      Untouched{"Backslash", R"(SELECT '\', 'x')"},
                      Untouched{"EscapeString", R"(SELECT E'\':a', e'\\')"},
                      Untouched{"NameEndingInE", R"(SELECT type'\' FROM t)"},
                      Untouched{"Identifier", "SELECT \":a\", \"x\"\":b\" FROM t"},
                      Untouched{"Semicolons", "SELECT ';', \";\", $$;$$"},
                      Untouched{"DollarQuote", "SELECT $$ :a ' $x$ $$"},
                      Untouched{"TaggedDollarQuote", "SELECT $t1$ :a $$ $t2$ $t1$"},
                      Untouched{"DollarInName", "SELECT a$b$c FROM t"},
                      Untouched{"SliceWithSpaces", "SELECT a[1 : n], a[1:2]"},
                      Untouched{"Assignment", "SELECT f(a := 1)"},
                      Untouched{"Comment_marks_in_strings", "SELECT '--', '/*', \"--\""},
                      Untouched{"Division", "SELECT 4 / 2 - 1 * 3"},
                      Untouched{"LowerCaseWith", "with a as (select 1) select * from a"},
                      Untouched{"NotAscii", "SELECT größe FROM t WHERE ü = 'é'"}),
    [](const auto& each) { return each.param.name; });

TEST(Query, DropsCommentsAndKeepsLines) {
    EXPECT_EQ(bound("-- who :a\nSELECT 1 -- ; :b\n/* :c /* ; */\n' */+ 2 -- end").sql,
              "\nSELECT 1 \n \n+ 2");
    EXPECT_EQ(bound("SELECT/**/1").sql, "SELECT 1");
}

TEST(Query, DropsTheSemicolonAtTheEnd) {
    EXPECT_EQ(bound("SELECT 1;\n").sql, "SELECT 1");
    EXPECT_EQ(bound("SELECT 1 ; -- done\n /* really */ ").sql, "SELECT 1");
}

struct Refused {
    std::string name;
    std::string text;
    int line;
    std::string found;
};
void PrintTo(const Refused& each, std::ostream* out) { *out << each.name; }
class RefusedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, SaysWhereAndWhat) {
    const auto result = bind_parameters(GetParam().text);
    ASSERT_TRUE(std::holds_alternative<QueryFault>(result)) << std::get<BoundQuery>(result).sql;
    const auto& fault = std::get<QueryFault>(result);
    EXPECT_EQ(fault.line_offset, GetParam().line);
    EXPECT_THAT(fault.found, HasSubstr(GetParam().found));
    EXPECT_FALSE(fault.expected.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RefusedTest,
    ::testing::Values(Refused{"Empty", "", 0, "(no statement)"},
                      Refused{"OnlySpace", " \n", 0, "(no statement)"},
                      Refused{"OnlyComment", "-- x\n/* y */", 0, "(no statement)"},
                      Refused{"Delete", "\nDELETE FROM t", 1, "DELETE"},
                      Refused{"Selection", "selection", 0, "selection"},
                      Refused{"Parenthesis", "(SELECT 1)", 0, "another beginning"},
                      Refused{"Number", "1 SELECT", 0, "another beginning"},
                      Refused{"String", "'SELECT'", 0, "another beginning"},
                      Refused{"Parameter", ":a SELECT", 0, "another beginning"},
                      Refused{"Colons", "::SELECT", 0, "another beginning"},
                      Refused{"OnlySemicolon", ";", 0, ";"},
                      Refused{"Two", "SELECT 1;\nSELECT 2", 1, "; before the end"},
                      Refused{"TwoSemicolons", "SELECT 1;;", 0, "; before the end"},
                      Refused{"SemicolonThenQuote", "SELECT 1; 'x", 0, "; before the end"},
                      Refused{"OpenString", "SELECT\n\n'abc", 2, "' without its end"},
                      Refused{"OpenEscape", "SELECT E'abc\\'", 0, "' without its end"},
                      Refused{"EscapeAtEnd", "SELECT E'abc\\", 0, "' without its end"},
                      Refused{"OpenIdentifier", "SELECT \"abc", 0, "\" without its end"},
                      Refused{"OpenDollar", "SELECT 1,\n$t$ abc $$", 1, "$t$ without its end"},
                      Refused{"LoneDollar", "SELECT $ 1", 0, "a lone $"},
                      Refused{"LoneDollarAtEnd", "SELECT $", 0, "a lone $"},
                      Refused{"OpenComment", "SELECT 1\n/* /* */", 1, "/* without its end"},
                      Refused{"Positional", "SELECT 1,\n$1", 1, "$1"},
                      Refused{"Subscript", "SELECT :a[1]", 0, ":a["},
                      Refused{"LongName", "SELECT :" + std::string(101, 'a'), 0, ":aaa"},
                      Refused{"NameNotAscii", "SELECT :größe", 0, ":gr"},
                      Refused{"Nul", std::string("SELECT \0 1", 10), 0, "NUL"},
                      Refused{"NulInString", std::string("SELECT\n'\0'", 10), 1, "NUL"},
                      Refused{"NulInDollar", std::string("SELECT $$\0$$", 12), 0, "NUL"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace fanfare
