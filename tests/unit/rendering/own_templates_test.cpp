// An owner's texts: whose place they take, and what stands against saving them.
#include "core/rendering/templates.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OwnTemplates : public ::testing::Test {
protected:
    static Templates shipped() {
        return std::get<Templates>(Templates::parse(
            std::vector<TemplateSource>{{"k/sms.text.mustache", "shipped {{title}}"},
                                        {"k/sms.de.text.mustache", "ausgeliefert {{title}}"},
                                        {"k/email.subject.mustache", "S"},
                                        {"k/email.text.mustache", "T{{#link}} {{link}}{{/link}}"},
                                        {"k/email.html.mustache", "<p>H</p>"},
                                        {"l/sms.text.mustache", "another kind"}}));
    }
    /// What stands against these texts, a line each.
    std::vector<std::string> mistakes(const OwnParts& own) {
        Problems problems;
        const auto templates = shipped().with_own("k", own, "", problems);
        for (const auto channel : channels) {
            const auto found = templates.review("k", channel, known);
            problems.insert(problems.end(), found.begin(), found.end());
        }
        std::vector<std::string> lines;
        for (const auto& each : problems) {
            lines.push_back(fmt::format("{}:{}:{} {}: {}", each.file, each.line, each.column,
                                        each.value, each.expected));
        }
        return lines;
    }
    static std::string text(const Templates& templates, std::string_view locale,
                            Channel channel = Channel::sms) {
        const auto content = templates.render("k", channel, locale, {{"title", "X"}}, {}).value();
        std::string out;
        write_text(content.text, nullptr, out);
        return out;
    }

    KnownVariables known{{"title"}, {"name"}, {"link"}};
};

TEST_F(OwnTemplates, TakeTheShippedOnesPlaceLocaleByLocale) {
    Problems problems;
    const auto own = shipped().with_own(
        "k", {{"sms.de.text", "eigen {{title}}"}, {"sms.pt-BR.text", "meu {{title}}"}}, "",
        problems);
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(text(own, "de-AT"), "eigen X");
    EXPECT_EQ(text(own, "pt-BR"), "meu X");
    EXPECT_EQ(text(own, "pt"), "shipped X");
    EXPECT_EQ(text(own, ""), "shipped X");
    EXPECT_EQ(text(own, "de", Channel::email), "T") << "other channels stay";
    EXPECT_EQ(text(shipped(), "de"), "ausgeliefert X") << "others' stay what they are";
    EXPECT_FALSE(own.has("l", Channel::sms)) << "of one kind alone";
}

TEST_F(OwnTemplates, AreATextAsAWhole) {
    Problems problems;
    const auto own =
        shipped().with_own("k", {{"email.subject", "mine"}, {"email.text", "mine"}}, "", problems);
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_THAT(own.render("k", Channel::email, "", {}, {}).value().html, IsEmpty())
        << "no shipped HTML beside words of their own";
    EXPECT_THAT(mistakes({{"email.fr.subject", "s"}}),
                ElementsAre("email.fr.text:0:0 : this one too: a text takes the shipped one's "
                            "place whole"));
}

TEST_F(OwnTemplates, AreRefusedForWhatNoPartIs) {
    EXPECT_THAT(mistakes({{"sms.subject", "x"},
                          {"fax.text", "x"},
                          {"sms.d.text", "x"},
                          {"../../x", "x"},
                          {"", "x"}}),
                ::testing::SizeIs(5));
    EXPECT_THAT(mistakes({{"push.title", "x"}, {"push.body", "x"}}),
                ::testing::Each(HasSubstr("a channel that the kind has templates for")));
    EXPECT_THAT(mistakes({{"sms.de.text", "x"}, {"sms.DE.text", "x"}}),
                ElementsAre(HasSubstr("sms.DE.text is the same")));
}

TEST_F(OwnTemplates, ReportEveryMistakeWithItsPlace) {
    EXPECT_THAT(
        mistakes({{"sms.text", "Hi {{nmae}}\n and {{titel}}"},
                  {"sms.de.text", "{{#title}}offen"},
                  {"email.subject", "{{> p}}"},
                  {"email.text", "{{#name}}x{{/name}} {{link}}"},
                  {"email.html", "<p title={{title}}>"}}),
        ElementsAre(HasSubstr("email.html:1:10 {{title}}: "),
                    HasSubstr("email.subject:1:1 {{>p}}: no partials"),
                    HasSubstr("sms.de.text:1:1 Unclosed section"),
                    "email.text:1:1 {{#name}}: no section on \"name\": it differs from person to "
                    "person, and a section must be the same for everyone",
                    "email.text:1:21 {{link}}: {{#link}} before and {{/link}} behind it: not every "
                    "job has it",
                    "sms.text:1:4 {{nmae}}: one of the known variables: link, name, title",
                    "sms.text:2:6 {{titel}}: one of the known variables: link, name, title"));
}

TEST_F(OwnTemplates, MayAskForWhatSomeJobsHave) {
    EXPECT_THAT(
        mistakes({{"sms.text", "{{title}}{{#link}}, {{link}}{{/link}}{{^link}}.{{/link}}"}}),
        IsEmpty());
    EXPECT_THAT(mistakes({{"sms.text", "{{#lnik}}{{title}}{{/lnik}}"}}),
                ElementsAre(HasSubstr("sms.text:1:1 {{#lnik}}: one of the known variables")));
    EXPECT_THAT(mistakes({{"sms.text", "{{#link}}{{typo}}{{/link}}"}}),
                ElementsAre(HasSubstr("sms.text:1:10 {{typo}}")))
        << "what a section holds counts, too";
    EXPECT_THAT(mistakes({{"sms.text", "{{^link}}{{link}}{{/link}}"}}),
                ElementsAre(HasSubstr("sms.text:1:10 {{link}}: {{#link}} before")));
    EXPECT_THAT(mistakes({{"sms.text", "{{#link}}x{{/link}}{{link}}"}}),
                ElementsAre(HasSubstr("sms.text:1:20 {{link}}: {{#link}} before")));
}

TEST_F(OwnTemplates, AreRefusedWhereTheyWouldGrowTooLong) {
    std::string many;
    for (int i = 0; i < 2'000; ++i) many += "{{title}}";
    EXPECT_THAT(mistakes({{"sms.text", many},
                          {"email.subject", "s"},
                          {"email.text", "t"},
                          {"email.html", many}}),
                ElementsAre(HasSubstr("email.html:1:"), HasSubstr("sms.text:1:")));
    EXPECT_THAT(mistakes({{"sms.text", std::string(153 * 10, 'a')}}), IsEmpty());
    EXPECT_THAT(mistakes({{"sms.text", std::string(153 * 10 + 1, 'a') + "{{title}}"}}),
                ElementsAre("sms.text:1:1 11 segments without any value: at most 10 segments"));
    EXPECT_THAT(mistakes({{"sms.text", std::string(131'073, 'a')}}),
                ElementsAre(HasSubstr("at most 131072 bytes")));
}

TEST_F(OwnTemplates, MayUseWhateverTheShippedOnesUse) {
    const auto loaded = std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    const auto needed = loaded.needed_variables("event.reminder", Channel::email);
    EXPECT_THAT(needed, ::testing::IsSupersetOf({"title", "username", "starts_in", "name"}));
    EXPECT_THAT(needed, ::testing::Not(::testing::Contains("link")));
    EXPECT_THAT(loaded.locales("event.reminder", Channel::sms),
                ::testing::UnorderedElementsAre("", "de", "es", "fr"));
}

}  // namespace
}  // namespace fanfare
