#include "core/rendering/templates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Names = std::vector<std::string>;
using Values = std::map<std::string, std::string>;

Templates parsed(const std::vector<TemplateSource>& sources) {
    auto result = Templates::parse(sources, "templates");
    if (auto* problems = std::get_if<Problems>(&result)) {
        ADD_FAILURE() << problems->front().file << ": " << problems->front().expected;
        return std::get<Templates>(Templates::parse({}));
    }
    return std::get<Templates>(std::move(result));
}

/// An e-mail whose three parts are given.
Templates email(std::string subject, std::string text, std::string html) {
    return parsed({{"k/email.subject.mustache", std::move(subject)},
                   {"k/email.text.mustache", std::move(text)},
                   {"k/email.html.mustache", std::move(html)}});
}

Templates sms(std::string text) { return parsed({{"k/sms.text.mustache", std::move(text)}}); }

std::string written(const Text& text, const std::vector<std::string_view>& values = {}) {
    std::string out;
    write_text(text, values.data(), out);
    return out;
}

std::string to_failure(const Result<Content>& result) {
    return result ? "no failure" : result.error().doing;
}

TEST(Templates, WriteWhatIsSharedAndLeaveSlotsForThePerson) {
    const auto templates = email("{{title}} for {{name}}\n", "Hi {{name}}, {{title}} {{name}}",
                                 "<p title=\"{{name}}\">{{title}}</p>");
    const auto content =
        templates.render("k", Channel::email, "", {{"title", "A & B"}}, Names{"name"}).value();
    EXPECT_THAT(content.variables, ElementsAre("name"));
    ASSERT_EQ(content.subject.size(), 1U);
    EXPECT_EQ(content.subject[0].literal, "A & B for ");
    EXPECT_EQ(content.subject[0].slot, (Slot{0, Escape::none}));
    EXPECT_EQ(content.html[0].slot, (Slot{0, Escape::html}));
    EXPECT_EQ(written(content.text, {"<Ann>"}), "Hi <Ann>, A & B <Ann>");
    EXPECT_EQ(written(content.html, {"\"<Ann>\""}),
              "<p title=\"&quot;&lt;Ann&gt;&quot;\">A &amp; B</p>");
}

TEST(Templates, LeaveOutVariablesNobodyUses) {
    const auto content =
        sms("{{b}} {{c}}").render("k", Channel::sms, "", {}, Names{"a", "c", "b", "d"}).value();
    EXPECT_THAT(content.variables, ElementsAre("b", "c"));
    EXPECT_EQ(written(content.text, {"1", "2"}), "1 2");
}

TEST(Templates, LetPersonalVariablesWin) {
    const auto content =
        sms("{{x}}").render("k", Channel::sms, "", {{"x", "shared"}}, Names{"x"}).value();
    EXPECT_EQ(written(content.text, {"personal"}), "personal");
}

TEST(Templates, NeverReadAValueAsTemplate) {
    const auto templates = email("{{v}}|{{name}}", "{{v}}|{{name}}", "<p>{{v}}|{{name}}</p>");
    for (const std::string value :
         {"{{name}}", "{{{name}}}", "{{#name}}x{{/name}}", "{{=| |=}}", "{{", "}}", "{{! ",
          "%recipient.name%", "-name-", "{0}", "\xEF\xBF\xBD", "$1", "%s%n"}) {
        const auto content =
            templates.render("k", Channel::email, "", {{"v", value}}, Names{"name"}).value();
        ASSERT_EQ(content.subject.size(), 1U) << value;
        ASSERT_EQ(content.text.size(), 1U) << value;
        ASSERT_EQ(content.html.size(), 2U) << value;
        EXPECT_EQ(content.subject[0].literal, value + "|");
        EXPECT_EQ(written(content.text, {"{{v}}"}), value + "|{{v}}");
        EXPECT_EQ(written(content.html, {value}), "<p>" + value + "|" + value + "</p>");
    }
}

TEST(Templates, EscapeEveryValueInHtml) {
    const std::string evil = "https://a/<script>alert(\"1\")</script>&'";
    const auto content = email("{{v}}", "{{v}}", "<a href=\"{{v}}\">{{v}}</a>")
                             .render("k", Channel::email, "", {{"v", evil}}, {})
                             .value();
    const std::string escaped =
        "https://a/&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;";
    EXPECT_EQ(written(content.html), "<a href=\"" + escaped + "\">" + escaped + "</a>");
    EXPECT_EQ(written(content.subject), evil);
    EXPECT_EQ(written(content.text), evil);
}

TEST(Templates, TakeControlCharactersOutOfValues) {
    const std::string value{
        "a\r\nBcc: b\0\t\x7f\x1b[0m\xC2\x85\xE2\x80\xA8"
        "c",
        22};
    const auto content = email("{{v}}", "{{v}}", "{{v}}")
                             .render("k", Channel::email, "", {{"v", value}}, {})
                             .value();
    EXPECT_EQ(written(content.subject), "a  Bcc: b    [0m  c");
    // What separates lines separates them: a carriage return with its line feed, NEL and LS.
    EXPECT_EQ(written(content.text), "a\nBcc: b [0m\n\nc");
    EXPECT_EQ(written(content.html), "a\nBcc: b [0m\n\nc");
}

TEST(Templates, MendValuesThatAreNotUtf8) {
    const auto content = sms("{{v}}").render("k", Channel::sms, "", {{"v", "a\xFFz"}}, {}).value();
    EXPECT_EQ(written(content.text), "a\xEF\xBF\xBDz");
}

TEST(Templates, FallBackFromRegionToLanguageToDefault) {
    const auto templates = parsed({{"k/sms.text.mustache", "default"},
                                   {"k/sms.de.text.mustache", "de"},
                                   {"k/sms.pt.text.mustache", "pt"},
                                   {"k/sms.pt-BR.text.mustache", "pt-BR"},
                                   {"k/sms.zh-Hant.text.mustache", "zh-Hant"}});
    const std::vector<std::pair<std::string, std::string>> expected{{"de", "de"},
                                                                    {"DE", "de"},
                                                                    {"de-AT", "de"},
                                                                    {"de_AT.UTF-8", "de"},
                                                                    {"pt-BR", "pt-BR"},
                                                                    {"pt-br", "pt-BR"},
                                                                    {"PT_BR", "pt-BR"},
                                                                    {"pt-PT", "pt"},
                                                                    {"pt-BR-x-a", "pt-BR"},
                                                                    {"zh-Hant-TW", "zh-Hant"},
                                                                    {"zh", ""},
                                                                    {"", ""},
                                                                    {"fr", ""},
                                                                    {"d", ""},
                                                                    {"deu", ""},
                                                                    {"-", ""},
                                                                    {"de-", "de"},
                                                                    {"../de", ""},
                                                                    {std::string(1000, 'd'), ""}};
    for (const auto& [asked, used] : expected) {
        EXPECT_EQ(templates.resolve_locale("k", Channel::sms, asked), used) << asked;
        const auto content = templates.render("k", Channel::sms, asked, {}, {}).value();
        EXPECT_EQ(content.locale, used) << asked;
        EXPECT_EQ(written(content.text), used.empty() ? "default" : used) << asked;
    }
}

TEST(Templates, KnowWhatTheyServe) {
    const auto templates = parsed({{"a.b/push.title.mustache", "{{t}}"},
                                   {"a.b/push.body.mustache", "{{b}}{{#c}}{{/c}}"},
                                   {"a.b/push.de.title.mustache", "{{t}}"},
                                   {"a.b/push.de.body.mustache", "{{z}}"}});
    EXPECT_TRUE(templates.has("a.b", Channel::push));
    EXPECT_FALSE(templates.has("a.b", Channel::sms));
    EXPECT_FALSE(templates.has("a", Channel::push));
    EXPECT_THAT(templates.variables("a.b", Channel::push), ElementsAre("b", "c", "t", "z"));
    EXPECT_TRUE(templates.variables("a.b", Channel::email).empty());
    EXPECT_FALSE(templates.render("a.b", Channel::sms, "", {}, {}));
    EXPECT_FALSE(templates.check("a.b", Channel::sms, {}, {}).empty());
}

TEST(Templates, FailOnAMissingVariableWithItsPlace) {
    const auto templates = sms("Hi\n  {{nmae}}");
    const auto result = templates.render("k", Channel::sms, "", {{"name", "x"}}, Names{"zone"});
    EXPECT_EQ(to_failure(result),
              "render templates/k/sms.text.mustache:2:3: {{nmae}}: expected "
              "a variable of the job's data, or one of the person's: zone");
    const auto problems = templates.check("k", Channel::sms, Names{"name"}, Names{"zone"});
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].file, "templates/k/sms.text.mustache");
    EXPECT_EQ(problems[0].line, 2);
    EXPECT_EQ(problems[0].column, 3);
    EXPECT_EQ(problems[0].value, "{{nmae}}");
    EXPECT_EQ(problems[0].expected, "a variable of the job's data, or one of the person's: zone");
    EXPECT_TRUE(templates.check("k", Channel::sms, Names{"nmae"}, {}).empty());
    EXPECT_TRUE(templates.check("k", Channel::sms, {}, Names{"nmae"}).empty());
}

TEST(Templates, CheckEveryLocale) {
    const auto templates =
        parsed({{"k/sms.text.mustache", "ok"}, {"k/sms.de.text.mustache", "{{fehlt}}"}});
    const auto problems = templates.check("k", Channel::sms, {}, {});
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].file, "templates/k/sms.de.text.mustache");
}

TEST(Templates, RefuseSectionsOnPersonalVariables) {
    for (const std::string source : {"a{{#name}}x{{/name}}", "a{{^name}}x{{/name}}"}) {
        const auto templates = sms(source);
        const auto problems = templates.check("k", Channel::sms, {}, Names{"name"});
        ASSERT_EQ(problems.size(), 1U) << source;
        EXPECT_EQ(problems[0].line, 1);
        EXPECT_EQ(problems[0].column, 2);
        EXPECT_THAT(problems[0].expected, HasSubstr("differs from person to person"));
        EXPECT_FALSE(templates.render("k", Channel::sms, "", {}, Names{"name"})) << source;
        EXPECT_TRUE(templates.check("k", Channel::sms, Names{"name"}, {}).empty()) << source;
    }
}

TEST(Templates, LetTheUnsubscribeLinkBePersonalSharedOrAbsent) {
    const auto templates =
        sms("x{{#unsubscribe_url}} stop: {{unsubscribe_url}}{{/unsubscribe_url}}");
    const Names url{"unsubscribe_url"};
    EXPECT_TRUE(templates.check("k", Channel::sms, {}, url).empty());
    EXPECT_TRUE(templates.check("k", Channel::sms, url, {}).empty());
    EXPECT_TRUE(templates.check("k", Channel::sms, {}, {}).empty());
    const auto render = [&](const Values& shared, const Names& personal) {
        return written(templates.render("k", Channel::sms, "", shared, personal).value().text,
                       {"u/1"});
    };
    EXPECT_EQ(render({}, url), "x stop: u/1");
    EXPECT_EQ(render({{"unsubscribe_url", "u/2"}}, {}), "x stop: u/2");
    EXPECT_EQ(render({}, {}), "x");
}

TEST(Templates, RefuseWhatNoMailReaderWouldShow) {
    const Values large{{"v", std::string(html_bytes_max, 'a')}};
    EXPECT_TRUE(email("s", "t", "{{v}}").render("k", Channel::email, "", large, {}));
    EXPECT_THAT(
        to_failure(email("s", "t", "<p>{{v}}").render("k", Channel::email, "", large, {})),
        HasSubstr("email.html.mustache:1:4: 102403 bytes or more: expected at most 102400"));
    // Stops at the bound instead of writing a million times a million bytes.
    std::string many;
    for (int i = 0; i < 10'000; ++i) many += "{{v}}";
    const Values huge{{"v", std::string(1'000'000, 'a')}};
    EXPECT_FALSE(sms(many).render("k", Channel::sms, "", huge, {}));
}

TEST(Templates, AreSharedByCopies) {
    auto original = std::make_unique<Templates>(sms("hello"));
    const Templates copy = *original;
    original.reset();
    EXPECT_EQ(written(copy.render("k", Channel::sms, "", {}, {}).value().text), "hello");
}

}  // namespace
}  // namespace fanfare
