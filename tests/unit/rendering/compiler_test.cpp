#include "core/rendering/compiler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <ostream>

namespace fanfare {

void PrintTo(const Position& position, std::ostream* out) {
    *out << position.line << ':' << position.column;
}

namespace {

using Values = std::map<std::string, std::string>;

/// The text for these values, or "line:column found" of the complaint.
std::string rendered(std::string_view source, const Values& values,
                     PartForm form = PartForm::text) {
    std::vector<std::string> names;
    const auto compiled = compile(source, form, names);
    if (const auto* complaints = std::get_if<std::vector<Complaint>>(&compiled)) {
        return "refused: " + complaints->front().found;
    }
    std::vector<Binding> bindings(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto found = values.find(names[i]);
        if (found != values.end()) bindings[i] = {VariableStanding::shared, &found->second, 0};
    }
    Text text;
    const auto complaint = std::get<Program>(compiled).run(names, bindings, 1000, text);
    if (complaint) {
        return std::to_string(complaint->position.line) + ":" +
               std::to_string(complaint->position.column) + " " + complaint->found;
    }
    std::string out;
    write_text(text, nullptr, out);
    return out;
}

std::vector<Complaint> complaints(std::string_view source, PartForm form) {
    std::vector<std::string> names;
    auto compiled = compile(source, form, names);
    auto* found = std::get_if<std::vector<Complaint>>(&compiled);
    return found == nullptr ? std::vector<Complaint>{} : *found;
}

TEST(Compiler, WritesVariablesAndSections) {
    EXPECT_EQ(rendered("Hi {{name}}, {{ name }}!", {{"name", "Ann"}}), "Hi Ann, Ann!");
    EXPECT_EQ(rendered("{{#a}}[{{a}}]{{/a}}{{^a}}none{{/a}}", {{"a", "x"}}), "[x]");
    EXPECT_EQ(rendered("{{#a}}[{{a}}]{{/a}}{{^a}}none{{/a}}", {}), "none");
    EXPECT_EQ(rendered("{{#a}}[{{a}}]{{/a}}{{^a}}none{{/a}}", {{"a", ""}}), "none");
    EXPECT_EQ(rendered("{{#a}}{{#b}}ab{{/b}}{{^b}}a{{/b}}{{/a}}.", {{"a", "1"}}), "a.");
    EXPECT_EQ(rendered("a{{! a note }}b", {}), "ab");
    EXPECT_EQ(rendered("{{{x}}}{{&x}}", {{"x", "<"}}), "<<") << "plain text knows no escaping";
    EXPECT_EQ(rendered("", {}), "");
}

TEST(Compiler, NothingFalseZeroAndNullCloseASection) {
    const std::string_view source = "{{#a}}yes {{a}}{{/a}}{{^a}}no{{/a}}";
    for (const auto* const closing : {"", "false", "f", "0", "null", "0.0", "-0", "-0.0", "0.00",
                                      "0e5", "0E+10", "0.0e-3", "\u200b", "\ufeff\u200e", "\x01"}) {
        EXPECT_EQ(rendered(source, {{"a", closing}}), "no") << closing;
    }
    for (const auto* const opening :
         {"true", "t", "1", "00", "0.01", "-", "0.", ".0", "0e", "0e+", "0x0", "-00", "0 h", "1e0",
          "0,0", "no", "False!", " ", "nulls"}) {
        EXPECT_EQ(rendered(source, {{"a", opening}}), std::string{"yes "} + opening);
    }
}

TEST(Compiler, GivesNoLineToTagsThatStandAlone) {
    const std::string_view source = "A\n{{#x}}\nB\n  {{/x}}  \nC\n";
    EXPECT_EQ(rendered(source, {{"x", "1"}}), "A\nB\nC\n");
    EXPECT_EQ(rendered(source, {}), "A\nC\n");
    EXPECT_EQ(rendered("A\n{{! note }}\nB", {}), "A\nB");
    EXPECT_EQ(rendered("{{#x}}\nA\n{{/x}}", {{"x", "1"}}), "A\n");
    EXPECT_EQ(rendered("A {{#x}}B{{/x}}\nC", {}), "A \nC");
    EXPECT_EQ(rendered("A\n\n{{#x}}\n\nB\n{{/x}}\nC", {{"x", "1"}}), "A\n\n\nB\nC");
    EXPECT_EQ(rendered("{{x}}\nA", {{"x", ""}}), "\nA") << "a variable keeps its line";
}

TEST(Compiler, NamesThePlaceOfAMissingVariable) {
    EXPECT_EQ(rendered("äöü\n  ä {{nmae}}", {}), "2:5 {{nmae}}");
    EXPECT_EQ(rendered("{{#a}}{{b}}{{/a}}", {}), "") << "not reached, not missed";
    EXPECT_EQ(rendered("{{#a}}{{b}}{{/a}}", {{"a", "1"}}), "1:7 {{b}}");
}

TEST(Compiler, BoundsTheOutput) {
    EXPECT_EQ(rendered("{{x}}", {{"x", std::string(1000, 'a')}}).size(), 1000U);
    EXPECT_EQ(rendered("{{x}}.", {{"x", std::string(1000, 'a')}}), "1:6 1001 bytes or more");
}

struct Refusal {
    std::string_view source;
    PartForm form;
    Position position;
    std::string_view found;
};

TEST(Compiler, RefusesWithLineAndColumn) {
    const std::vector<Refusal> refusals{
        {"a\n {{{x}}}", PartForm::html, {2, 2}, "{{{x}}}"},
        {"{{&x}}", PartForm::html, {1, 1}, "{{{x}}}"},
        {"a {{> footer}}", PartForm::text, {1, 3}, "{{>footer}}"},
        {"a {{=<% %>=}}", PartForm::text, {1, 3}, "{{="},
        {"{{ =| |= }}", PartForm::text, {1, 1}, "{{="},
        {"a\n{{x", PartForm::text, {2, 1}, "Unclosed tag"},
        {"{{#x}}", PartForm::text, {1, 1}, "Unclosed section \"x\""},
        {"a{{/x}}", PartForm::text, {1, 2}, "Unopened section \"x\""},
        {"{{#a}}{{#b}}{{/a}}{{/b}}", PartForm::text, {1, 1}, "Unclosed section \"a\""},
        {"{{}}", PartForm::text, {1, 1}, "variable \"\""},
        {"{{.}}", PartForm::text, {1, 1}, "variable \".\""},
        {"{{a.b}}", PartForm::text, {1, 1}, "variable \"a.b\""},
        {"{{a b}}", PartForm::text, {1, 1}, "variable \"a b\""},
        {"{{#9}}{{/9}}", PartForm::text, {1, 1}, "variable \"9\""},
        {"two\nlines", PartForm::line, {1, 4}, "control character 0x0a"},
        {"tab\t", PartForm::line, {1, 4}, "control character 0x09"},
        {std::string_view{"nul\0", 4}, PartForm::text, {1, 4}, "control character 0x00"},
        {"bad \xFF", PartForm::text, {1, 5}, "byte 0xff"},
        {"<a href={{x}}>", PartForm::html, {1, 9}, "{{x}}"},
        {"<style>{{x}}</style>", PartForm::html, {1, 8}, "{{x}}"},
        {"<p style=\"{{x}}\">", PartForm::html, {1, 11}, "{{x}}"},
        {"{{#x}}<a href=\"{{/x}}\">", PartForm::html, {1, 1}, "section \"x\""},
        {"<a href=\"{{#x}}javascript:{{/x}}{{y}}\">",
         PartForm::html,
         {1, 26},
         "a URL that is a script"},
        {"<a href=\"{{#x}}https:{{/x}}{{y}}\">", PartForm::html, {1, 10}, "section \"x\""},
        {"<a\n href=\"javascript:{{x}}\">", PartForm::html, {2, 18}, "a URL that is a script"},
        {"<a href=\"data:text/html,{{x}}\">", PartForm::html, {1, 14}, "a data: URL"},
        {"<a href=\"java{{x}}\">", PartForm::html, {1, 14}, "{{x}}"},
        {"<p onmouseover='{{x}}'>", PartForm::html, {1, 17}, "{{x}}"},
        {"<iframe srcdoc=\"{{x}}\">", PartForm::html, {1, 17}, "{{x}}"},
        {"<textarea>{{x}}</textarea>", PartForm::html, {1, 11}, "{{x}}"},
        {"<noscript>{{x}}</noscript>", PartForm::html, {1, 10}, "a noscript, svg or math element"}};
    for (const auto& refusal : refusals) {
        const auto found = complaints(refusal.source, refusal.form);
        ASSERT_FALSE(found.empty()) << refusal.source;
        EXPECT_EQ(found.front().position, refusal.position) << refusal.source;
        EXPECT_EQ(found.front().found, refusal.found) << refusal.source;
        EXPECT_FALSE(found.front().expected.empty()) << refusal.source;
    }
    EXPECT_EQ(complaints("{{.}}\n{{> p}}\n{{a b}}", PartForm::text).size(), 3U)
        << "all, not the first";
}

TEST(Compiler, ChecksAValueThatAUrlBeginsWith) {
    const std::string_view source = "<a href=\"{{link}}\">{{link}}</a>";
    const auto shown = [source](const std::string& value) {
        return rendered(source, {{"link", value}}, PartForm::html);
    };
    EXPECT_EQ(shown("https://x/?a&b"), "<a href=\"https://x/?a&amp;b\">https://x/?a&amp;b</a>");
    EXPECT_EQ(shown(""), "<a href=\"\"></a>");
    for (const char* good : {"HTTPS://x", "mailto:a@b", "tel:+1", " https://x"}) {
        EXPECT_THAT(shown(good), ::testing::StartsWith("<a href")) << good;
    }
    for (const char* bad :
         {"javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "vbscript:x", "http://x",
          "//x", "x", "\tjavascript:x", "https:x", "java\nscript:x"}) {
        EXPECT_EQ(shown(bad), "1:10 {{link}}") << bad;
    }
    EXPECT_EQ(rendered("<a href=\"{{unsubscribe_url}}\">",
                       {{"unsubscribe_url", "http://127.0.0.1/u"}}, PartForm::html),
              "<a href=\"http://127.0.0.1/u\">")
        << "made by us";
    EXPECT_EQ(rendered("{{link}}", {{"link", "javascript:x"}}), "javascript:x") << "plain text";
}

TEST(Compiler, BoundsTheInput) {
    EXPECT_TRUE(complaints(std::string(source_bytes_max, 'a'), PartForm::text).empty());
    EXPECT_FALSE(complaints(std::string(source_bytes_max + 1, 'a'), PartForm::text).empty());

    std::string deep;
    for (std::size_t i = 0; i < sections_max; ++i) deep = "{{#x}}" + deep + "{{/x}}";
    EXPECT_TRUE(complaints(deep, PartForm::text).empty());
    EXPECT_FALSE(complaints("{{#x}}" + deep + "{{/x}}", PartForm::text).empty());

    std::string many;
    for (std::size_t i = 0; i < names_max; ++i) many += "{{v" + std::to_string(i) + "}}";
    EXPECT_TRUE(complaints(many, PartForm::text).empty());
    EXPECT_FALSE(complaints(many + "{{w}}", PartForm::text).empty());

    // Would run out of stack in a parser that recurses.
    std::string deeper;
    for (int i = 0; i < 18'000; ++i) deeper += "{{# x}}";
    EXPECT_FALSE(complaints(deeper, PartForm::text).empty());
}

}  // namespace
}  // namespace fanfare
