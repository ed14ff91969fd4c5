#include "tests/unit/rendering/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace fanfare {
namespace {

using ::testing::HasSubstr;

std::string problem_with(const std::string& path, const std::string& text = "") {
    const std::vector<TemplateSource> sources{{path, text}};
    return problems_of(Templates::parse(sources));
}

TEST(TemplateFiles, AreReadFromTheirFolder) {
    const Folder folder;
    folder.write("k/sms.text.mustache", "\xEF\xBB\xBFHi {{x}}\r\nbye\r\n\n");
    folder.write("k/email.subject.mustache", "S\n");
    folder.write("k/email.text.mustache", "T\n");
    folder.write("k/README.md", "not a template");
    folder.write("k/.hidden", "neither");
    folder.write(".gitkeep", "");
    const auto result = Templates::load(folder.path());
    ASSERT_EQ(problems_of(result), "");
    const auto& templates = std::get<Templates>(result);
    const auto sms = templates.render("k", Channel::sms, "", {{"x", "you"}}, {}).value();
    EXPECT_EQ(sms.text.at(0).literal, "Hi you\nbye") << "no mark, no CR, no last newline";
    const auto mail = templates.render("k", Channel::email, "", {}, {}).value();
    EXPECT_EQ(mail.subject.at(0).literal, "S");
    EXPECT_EQ(mail.text.at(0).literal, "T\n") << "a mail's text is a file of its own";
    EXPECT_TRUE(mail.html.empty());
}

TEST(TemplateFiles, ReportEveryProblemWithFileLineAndColumn) {
    const Folder folder;
    folder.write("k/sms.text.mustache", "ok\n {{> p}}");
    folder.write("k/email.subject.mustache", "a\nb");
    folder.write("k/email.html.mustache", "<p>{{{x}}}</p>");
    folder.write("k/push.fr.title.mustache", "t");
    folder.write("k/letter.text.mustache", "t");
    folder.write("k/big.bin", std::string(1'000'000, 'x'));
    const auto problems = problems_of(Templates::load(folder.path()));
    EXPECT_THAT(problems, HasSubstr("sms.text.mustache:2:2 template {{>p}}: no partials\n"));
    EXPECT_THAT(problems, HasSubstr("email.subject.mustache:1:2 template control character 0x0a"));
    EXPECT_THAT(problems, HasSubstr("email.html.mustache:1:4 template {{{x}}}"));
    EXPECT_THAT(problems, HasSubstr("email.text.mustache:0:0 file : this file\n"));
    EXPECT_THAT(problems, HasSubstr("push.fr.body.mustache:0:0 file : this file\n"));
    EXPECT_THAT(problems, HasSubstr("push.title.mustache:0:0 file : this file\n"));
    EXPECT_THAT(problems, HasSubstr("letter.text.mustache:0:0 file name"));
    EXPECT_THAT(problems, HasSubstr("big.bin:0:0 file name"));
}

TEST(TemplateFiles, ReportAFolderThatIsNotThere) {
    const Folder folder;
    EXPECT_NE(problems_of(Templates::load(folder.path() / "absent")), "");
}

TEST(TemplateFiles, BoundTheLengthOfOne) {
    const Folder folder;
    folder.write("k/sms.text.mustache", std::string(10'000'000, 'x'));
    EXPECT_THAT(problems_of(Templates::load(folder.path())), HasSubstr("at most 131072 bytes"));
}

TEST(TemplateFiles, AreNamedAfterChannelLocaleAndPart) {
    EXPECT_THAT(problem_with("sms.text.mustache"), HasSubstr("a folder named after a kind"));
    EXPECT_THAT(problem_with("a/b/sms.text.mustache"), HasSubstr("a folder named after a kind"));
    EXPECT_THAT(problem_with("k/sms.text.txt"), HasSubstr("ends in .mustache"));
    EXPECT_THAT(problem_with("k/fax.text.mustache"), HasSubstr("email, sms or push"));
    EXPECT_THAT(problem_with("k/.mustache"), HasSubstr("email, sms or push"));
    EXPECT_THAT(problem_with("k/sms.mustache"), HasSubstr("ends in .text, then .mustache"));
    EXPECT_THAT(problem_with("k/sms.html.mustache"), HasSubstr("ends in .text, then .mustache"));
    EXPECT_THAT(problem_with("k/push.text.mustache"), HasSubstr(".title or .body"));
    EXPECT_THAT(problem_with("k/sms.d.text.mustache"), HasSubstr("such as de or pt-BR"));
    EXPECT_THAT(problem_with("k/sms.de_DE.text.mustache"), HasSubstr("such as de or pt-BR"));
    EXPECT_THAT(problem_with("k/sms.de.at.text.mustache"), HasSubstr("such as de or pt-BR"));
    EXPECT_THAT(problem_with("k/sms..text.mustache"), HasSubstr("such as de or pt-BR"));
}

TEST(TemplateFiles, NameALocaleOnce) {
    const std::vector<TemplateSource> sources{{"k/sms.text.mustache", ""},
                                              {"k/sms.pt-BR.text.mustache", ""},
                                              {"k/sms.pt-br.text.mustache", ""}};
    EXPECT_THAT(problems_of(Templates::parse(sources)),
                HasSubstr("one file per locale: k/sms.pt-BR.text.mustache is the same"));
}

}  // namespace
}  // namespace fanfare
