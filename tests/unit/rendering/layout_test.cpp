// Messages that are given as a layout and strings.
#include "tests/unit/rendering/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A folder with one message in two languages.
class LayoutTest : public ::testing::Test {
protected:
    LayoutTest() {
        write("_layout/plain.text.mustache", "[[greeting]]\n{{title}}\n-- [[reason]]\n");
        write("_layout/plain.html.mustache", "<p lang=\"[[locale]]\">[[greeting]]</p>\n");
        write("_layout/en.yaml", "reason: you asked");
        write("_layout/de.yaml", "reason: du wolltest es");
        write("k/message.yaml", "default: en\nlayout: plain\n");
        write("k/en.yaml", "subject: Soon\ngreeting: Hi\n");
        write("k/de.yaml", "subject: Bald\ngreeting: Hallo\n");
    }
    void write(const std::string& path, std::string_view text) const { folder_.write(path, text); }

    [[nodiscard]] std::string problems() const {
        return problems_of(Templates::load(folder_.path()));
    }
    /// What a text says with title = "T".
    [[nodiscard]] std::string said(Channel channel, std::string_view locale,
                                   Text Content::*part = &Content::text) const {
        const auto loaded = Templates::load(folder_.path());
        EXPECT_EQ(problems_of(loaded), "");
        if (std::holds_alternative<Problems>(loaded)) return {};
        const auto content =
            std::get<Templates>(loaded).render("k", channel, locale, {{"title", "T"}}, {});
        if (!content) return content.error().doing;
        std::string said;
        for (const auto& piece : content.value().*part) said += piece.literal;
        return said;
    }
    [[nodiscard]] std::string mail(std::string_view locale = "") const {
        return said(Channel::email, locale);
    }
    [[nodiscard]] std::string html(std::string_view locale = "") const {
        return said(Channel::email, locale, &Content::html);
    }

    Folder folder_;
};

TEST_F(LayoutTest, StringsFillItsHoles) {
    EXPECT_EQ(mail(), "Hi\nT\n-- you asked\n");
    EXPECT_EQ(mail("de"), "Hallo\nT\n-- du wolltest es\n");
    EXPECT_EQ(html("de"), "<p lang=\"de\">Hallo</p>\n");
    EXPECT_EQ(html("fr"), "<p lang=\"en\">Hi</p>\n") << "the default";
    EXPECT_EQ(said(Channel::email, "de", &Content::subject), "Bald");
}

TEST_F(LayoutTest, AStringOfTheKindComesBeforeASharedOne) {
    write("k/de.yaml", "subject: Bald\ngreeting: Hallo\nreason: darum\n");
    EXPECT_EQ(mail("de"), "Hallo\nT\n-- darum\n");
    EXPECT_EQ(mail(), "Hi\nT\n-- you asked\n");
}

TEST_F(LayoutTest, SectionsAskWhetherThereIsAString) {
    write("_layout/plain.text.mustache",
          "[[#note]]\nNote: [[note]]\n[[/note]]\n[[^note]]\nnone\n[[/note]]\n"
          "a[[#quiet]], quiet[[/quiet]]\n");
    write("k/en.yaml", "subject: Soon\ngreeting: Hi\nnote: later\n");
    EXPECT_EQ(mail(), "Note: later\na\n");
    EXPECT_EQ(mail("de"), "none\na\n");
    write("k/message.yaml", "default: en\nlayout: plain\nquiet: true\n");
    EXPECT_EQ(mail("de"), "none\na, quiet\n");
    write("k/message.yaml", "default: en\nlayout: plain\nquiet: false\n");
    EXPECT_EQ(mail("de"), "none\na\n");
}

TEST_F(LayoutTest, SectionsStandForEachOfAList) {
    write("_layout/plain.text.mustache",
          "[[#facts]]\n[[#first]]\n(\n[[/first]]\n[[label]]: {{[[name]]}}[[#wide]] wide[[/wide]]\n"
          "[[#last]]\n)\n[[/last]]\n[[/facts]]\n");
    write("_layout/en.yaml", "reason: x\nfacts:\n  title: {label: Title}\n");
    write("_layout/de.yaml", "reason: x\nfacts:\n  title: {label: Titel}\n");
    write("k/message.yaml",
          "default: en\nlayout: plain\nfacts:\n  - {name: title, wide: true}\n  - {name: title}\n");
    EXPECT_EQ(mail(), "(\nTitle: T wide\nTitle: T\n)\n");
    write("k/de.yaml", "subject: B\ngreeting: H\nfacts:\n  title: {label: Name}\n");
    EXPECT_EQ(mail("de"), "(\nName: T wide\nName: T\n)\n");
}

TEST_F(LayoutTest, StringsAreTextInHtmlToo) {
    write("k/en.yaml", "subject: Soon\ngreeting: \"Q&A <now> {{title}}\"\n");
    EXPECT_EQ(html(), "<p lang=\"en\">Q&amp;A &lt;now&gt; T</p>\n");
    EXPECT_THAT(mail(), HasSubstr("Q&A <now> T\n"));
}

TEST_F(LayoutTest, OtherChannelsNeedNone) {
    write("k/message.yaml", "default: en\n");
    write("k/en.yaml", "sms: \"Soon: {{title}}\"\npush: {title: Soon, body: \"{{title}}\"}\n");
    write("k/de.yaml", "sms: \"Bald: {{title}}\"\npush: {title: Bald, body: \"{{title}}!\"}\n");
    EXPECT_EQ(said(Channel::sms, "de"), "Bald: T");
    EXPECT_EQ(said(Channel::push, "de"), "T!");
    EXPECT_EQ(said(Channel::push, "", &Content::subject), "Soon");
}

TEST_F(LayoutTest, AFileWrittenByHandCounts) {
    write("k/email.de.text.mustache", "von Hand\n");
    EXPECT_EQ(mail("de"), "von Hand\n");
    EXPECT_EQ(mail(), "Hi\nT\n-- you asked\n");
}

TEST_F(LayoutTest, WhatIsWrongIsNamedWhereItWasWritten) {
    write("k/de.yaml", "subject: Bald\n\ngreeting: \"Hallo {{#title}}\"\n");
    EXPECT_THAT(problems(), HasSubstr("de.yaml:3:18 template Unclosed section"));
    write("k/de.yaml", "subject: Bald\ngreeting: |\n  Hallo\n  {{> x}}\n");
    EXPECT_THAT(problems(), HasSubstr("de.yaml:"));
    write("k/de.yaml", "subject: Bald\ngreeting: Hallo\n");
    write("_layout/plain.text.mustache", "[[greeting]]\n[[reason]] {{{title}\n");
    EXPECT_THAT(problems(), HasSubstr("plain.text.mustache:2:12 template"));
}

TEST_F(LayoutTest, SoAreVariablesThatNobodyHas) {
    write("k/de.yaml", "subject: \"Bald {{nmae}}\"\ngreeting: Hallo\n");
    const auto templates = std::get<Templates>(Templates::load(folder_.path()));
    const auto places = templates.list_places("k", Channel::email, "nmae");
    ASSERT_EQ(places.size(), 1U);
    EXPECT_EQ(places[0].file, (folder_.path() / "k/de.yaml").string());
    EXPECT_EQ(places[0].line, 1);
    EXPECT_EQ(places[0].column, 16);
    const std::vector<std::string> shared{"title"};
    const auto found = templates.check("k", Channel::email, shared, {});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].file, places[0].file);
    const auto unfit = templates.render("k", Channel::email, "de", {{"title", "T"}}, {});
    ASSERT_FALSE(unfit);
    EXPECT_THAT(unfit.error().doing, HasSubstr("k/de.yaml:1:16: {{nmae}}"));
}

TEST_F(LayoutTest, MistakesAreToldAllAtOnce) {
    write("k/de.yaml", "subject: Bald\ngreting: Hallo\n");
    write("k/en.yaml", "greeting: Hi\n");
    write("l/en.yaml", "subject: x\n");
    write("m/message.yaml", "default: fr\nlayout: plain\n");
    write("n/message.yaml", "default: en\nlayout: grand\n");
    write("n/en.yaml", "subject: x\n");
    const auto said = problems();
    EXPECT_THAT(said,
                HasSubstr("de.yaml:0:0 greeting : a text, which _layout/plain.text.mustache:1"));
    EXPECT_THAT(said, HasSubstr("de.yaml:2:0 greting (unknown text): a text that is shown; did you "
                                "mean greeting?"));
    EXPECT_THAT(said, HasSubstr("en.yaml:1:0 subject : a text"));
    EXPECT_THAT(said, HasSubstr("message.yaml:0:0 file : this file"));
    EXPECT_THAT(said, HasSubstr("message.yaml:1:0 default fr: the locale of one of"));
    EXPECT_THAT(said, HasSubstr("message.yaml:2:0 layout grand: a layout: there is no"));
}

TEST_F(LayoutTest, SectionsAreClosed) {
    write("_layout/plain.text.mustache", "a\n [[#note]] b\n");
    EXPECT_THAT(problems(), HasSubstr("plain.text.mustache:2:2 layout [[#note]]"));
    write("_layout/plain.text.mustache", "a [[/note]] b\n");
    EXPECT_THAT(problems(), HasSubstr("plain.text.mustache:1:3 layout [[/note]]"));
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "[[#subject]]";
    for (int i = 0; i < 100; ++i) deep += "[[/subject]]";
    write("_layout/plain.text.mustache", deep);
    EXPECT_THAT(problems(), HasSubstr("fewer sections within each other"));
}

TEST_F(LayoutTest, YamlThatIsNoneIsNamed) {
    write("k/de.yaml", "subject: \"Bald\n");
    EXPECT_THAT(problems(), HasSubstr("de.yaml:"));
    write("k/de.yaml", "- a\n");
    EXPECT_THAT(problems(), HasSubstr("de.yaml:1:0 (document)"));
    write("k/de.yaml", "subject: {a: b}\ngreeting: Hallo\n");
    EXPECT_THAT(problems(), HasSubstr("de.yaml:1:0 subject (a map): a text"));
}

}  // namespace
}  // namespace fanfare
