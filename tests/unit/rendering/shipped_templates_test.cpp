// The templates in templates/ themselves: complete, true, and safe.
#include "worker/rendering/moments.hpp"
#include "worker/rendering/segments.hpp"
#include "worker/rendering/templates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> shared_names{"username", "title",   "starts_in",
                                            "show_id",  "user_id", "body"};
const std::vector<std::string> personal_names{"name", "starts_at", "unsubscribe_url"};
constexpr std::string_view kinds[]{"show.reminder", "show.cancelled", "generic"};
constexpr std::string_view locales[]{"", "de"};

const Templates& shipped() {
    static const auto loaded = Templates::load(FANFARE_SOURCE_DIR "/templates");
    if (const auto* problems = std::get_if<Problems>(&loaded)) {
        for (const auto& problem : *problems) {
            ADD_FAILURE() << problem.file << ':' << problem.line << ' ' << problem.key << ' '
                          << problem.value << ": " << problem.expected;
        }
    }
    return std::get<Templates>(loaded);
}

std::map<std::string, std::string> shared_values(std::string_view locale) {
    Moments moments;
    return {{"username", "Ella"},
            {"title", "Friday Night"},
            {"body", "First line.\nSecond line."},
            {"starts_in", moments.relative(TimePoint{15min}, TimePoint{}, locale)}};
}

std::string written(const Content& content, const Text& text) {
    const std::map<std::string, std::string_view> person{
        {"name", "Noah"},
        {"starts_at", "November 20, 2026 at 7:30 PM EST"},
        {"unsubscribe_url", "https://example.org/u/1"}};
    std::vector<std::string_view> values;
    for (const auto& variable : content.variables) values.push_back(person.at(variable));
    std::string out;
    write_text(text, values.data(), out);
    return out;
}

Content rendered(std::string_view kind, Channel channel, std::string_view locale,
                 std::map<std::string, std::string> more = {}) {
    more.merge(shared_values(locale));
    return shipped().render(kind, channel, locale, more, personal_names).value();
}

TEST(ShippedTemplates, NeedOnlyWhatTheirSystemsGive) {
    for (const auto kind : kinds) {
        for (const auto channel : channels) {
            ASSERT_TRUE(shipped().has(kind, channel)) << kind;
            EXPECT_FALSE(shipped().check(kind, channel, shared_names, personal_names)) << kind;
            EXPECT_EQ(shipped().resolve_locale(kind, channel, "de-AT"), "de");
        }
    }
}

TEST(ShippedTemplates, RemindInTheWordsOfTheSystem) {
    const auto push = rendered("show.reminder", Channel::push, "en");
    EXPECT_EQ(written(push, push.subject), "Ella is going live soon!");
    EXPECT_EQ(written(push, push.text), "Friday Night starts in 15 minutes");
    EXPECT_TRUE(push.variables.empty()) << "one body for the whole audience";
    const auto german = rendered("show.reminder", Channel::push, "de");
    EXPECT_EQ(written(german, german.text), "Friday Night beginnt in 15 Minuten");
}

TEST(ShippedTemplates, SayTheSameInTextAndHtml) {
    for (const auto kind : kinds) {
        for (const auto locale : locales) {
            const auto mail =
                rendered(kind, Channel::email, locale, {{"link", "https://example.org/live/42"}});
            const auto text = written(mail, mail.text);
            const auto html = written(mail, mail.html);
            std::vector<std::string> facts{"Friday Night", "https://example.org/live/42",
                                           "https://example.org/u/1"};
            if (kind == "generic") {
                facts.emplace_back("First line.\nSecond line.");
            } else {
                facts.insert(facts.end(), {"Ella", "Noah", "November 20, 2026 at 7:30 PM EST"});
            }
            for (const auto& fact : facts) {
                EXPECT_THAT(text, HasSubstr(fact)) << kind << locale;
                EXPECT_THAT(html, HasSubstr(fact)) << kind << locale;
            }
        }
    }
}

TEST(ShippedTemplates, DoWithoutLinkAndUnsubscription) {
    for (const auto kind : kinds) {
        const auto mail = shipped().render(kind, Channel::email, "", shared_values("en"),
                                           std::vector<std::string>{"name", "starts_at"});
        ASSERT_TRUE(mail) << describe(mail.error());
        EXPECT_THAT(written(*mail, mail->html), Not(HasSubstr("href"))) << kind;
        EXPECT_THAT(written(*mail, mail->text), Not(HasSubstr("Unsubscribe"))) << kind;
        EXPECT_THAT(written(*mail, mail->text), Not(HasSubstr("\n\n\n"))) << kind;
    }
}

TEST(ShippedTemplates, LetAValueDoNoHarm) {
    for (const auto kind : kinds) {
        for (const auto locale : locales) {
            const auto mail = rendered(kind, Channel::email, locale,
                                       {{"title", "<img src=x onerror=\"a()\">\r\nBcc: x"},
                                        {"link", "\"><script>"},
                                        {"brand", "{{name}}<b>"}});
            const auto html = written(mail, mail.html);
            EXPECT_THAT(html, Not(HasSubstr("<img"))) << kind;
            EXPECT_THAT(html, Not(HasSubstr("<script"))) << kind;
            EXPECT_THAT(html, HasSubstr("{{name}}&lt;b&gt;")) << kind;
            EXPECT_EQ(written(mail, mail.subject).find_first_of("\r\n"), std::string::npos);
        }
    }
}

TEST(ShippedTemplates, FitAnSmsIntoGsm7) {
    for (const auto kind : kinds) {
        for (const auto locale : locales) {
            const auto sms = rendered(kind, Channel::sms, locale);
            const auto segments = count_segments(written(sms, sms.text));
            EXPECT_FALSE(segments.unicode) << kind << locale;
            EXPECT_EQ(segments.count, 1U) << kind << locale;
        }
    }
}

}  // namespace
}  // namespace fanfare
