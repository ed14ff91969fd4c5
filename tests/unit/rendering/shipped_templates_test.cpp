// The templates in templates/ themselves: complete, true, and safe.
#include "core/rendering/date_formatter.hpp"
#include "core/rendering/segments.hpp"
#include "core/rendering/templates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<std::string> shared_names{
    "username", "title", "body",         "starts_in", "starts_at_there", "ticket_number", "coins",
    "message",  "brand", "workout_type", "link"};
const std::vector<std::string> personal_names{"name", "starts_at", "unsubscribe_url"};
constexpr std::string_view locales[]{"", "de", "es", "fr"};
constexpr std::string_view link = "https://lumen.example/live/42";
constexpr std::string_view unsubscribe = "https://example.org/u/1";
const auto moment = TimePoint{} + std::chrono::hours{24 * 20'777};

/// Folders that have templates of a channel.
std::vector<std::string> kinds_of(Channel channel);

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

std::vector<std::string> kinds_of(Channel channel) {
    std::vector<std::string> kinds;
    for (const auto& entry : std::filesystem::directory_iterator{FANFARE_SOURCE_DIR "/templates"}) {
        auto kind = entry.path().filename().string();
        if (shipped().has(kind, channel)) kinds.push_back(std::move(kind));
    }
    std::ranges::sort(kinds);
    return kinds;
}

std::string language_of(std::string_view locale) {
    return std::string{locale.empty() ? "en" : locale};
}

/// The least that every kind is given; more may be absent.
std::map<std::string, std::string> shared_values(std::string_view locale) {
    DateFormatter dates;
    return {{"username", "Ella"},
            {"title", "Friday Night"},
            {"body", "First line.\nSecond line."},
            {"ticket_number", "T-1a2b3c4d"},
            {"starts_in", dates.relative(TimePoint{15min}, TimePoint{}, language_of(locale))}};
}

/// All that a system may give.
std::map<std::string, std::string> all_values(std::string_view locale) {
    DateFormatter dates;
    auto values = shared_values(locale);
    values.merge(std::map<std::string, std::string>{
        {"link", std::string{link}},
        {"brand", "Lumen"},
        {"message", "Bring a pen."},
        {"workout_type", "Yoga"},
        {"coins", "50"},
        {"starts_at_there", dates.format(moment, "America/New_York", language_of(locale))}});
    return values;
}

std::string starts_at(std::string_view locale) {
    DateFormatter dates;
    return dates.format(moment, "America/Los_Angeles", language_of(locale));
}

std::string written(const Content& content, const Text& text, std::string_view locale = "") {
    const auto starts = starts_at(locale);
    const std::map<std::string, std::string_view> person{
        {"name", "Noah"}, {"starts_at", starts}, {"unsubscribe_url", unsubscribe}};
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

TEST(ShippedTemplates, SpeakEveryLanguageOnEveryChannel) {
    std::size_t count = 0;
    for (const auto channel : channels) {
        for (const auto& kind : kinds_of(channel)) {
            ++count;
            EXPECT_THAT(shipped().check(kind, channel, shared_names, personal_names), IsEmpty())
                << kind;
            std::set<std::string> texts;
            for (const auto locale : locales) {
                EXPECT_EQ(shipped().resolve_locale(kind, channel, locale), locale) << kind;
                const auto content = rendered(kind, channel, locale, all_values(locale));
                const auto subject = written(content, content.subject, locale);
                const auto text = written(content, content.text, locale);
                const auto html = written(content, content.html, locale);
                EXPECT_EQ(subject.empty(), channel == Channel::sms) << kind << locale;
                EXPECT_FALSE(text.empty()) << kind << locale;
                EXPECT_EQ(html.empty(), channel != Channel::email) << kind << locale;
                for (const auto& part : {subject, text, html}) {
                    EXPECT_THAT(part, Not(HasSubstr("{{"))) << kind << locale;
                    EXPECT_THAT(part, Not(HasSubstr("}}"))) << kind << locale;
                }
                if (channel == Channel::email) {
                    const auto language = "<html lang=\"" + language_of(locale) + "\">";
                    EXPECT_THAT(html, HasSubstr(language)) << kind;
                }
                texts.insert(subject + text);
            }
            // Of these there is nothing to translate but the data.
            if (kind != "generic" && !kind.starts_with("broadcast.")) {
                EXPECT_EQ(texts.size(), std::size(locales)) << kind << " repeats a language";
            }
        }
    }
    EXPECT_GE(count, 30U);
}

/// What stands in the head of a mail: the same styles in each.
std::string style_of(const std::string& html) {
    const auto begin = html.find("<style>");
    return html.substr(begin, html.find("</style>") - begin);
}

TEST(ShippedTemplates, ShareOneLayout) {
    const auto first = rendered("show.reminder", Channel::email, "");
    const auto style = style_of(written(first, first.html));
    for (const auto& kind : kinds_of(Channel::email)) {
        for (const auto locale : locales) {
            const auto mail = rendered(kind, Channel::email, locale);
            EXPECT_EQ(style_of(written(mail, mail.html)), style) << kind << locale;
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
    for (const auto& kind : kinds_of(Channel::email)) {
        for (const auto locale : locales) {
            const auto mail = rendered(kind, Channel::email, locale, all_values(locale));
            const auto text = written(mail, mail.text, locale);
            const auto html = written(mail, mail.html, locale);
            std::vector<std::string> facts{"Friday Night", std::string{link},
                                           std::string{unsubscribe}};
            if (kind == "generic") {
                facts.emplace_back("First line.\nSecond line.");
            } else {
                facts.insert(facts.end(), {"Ella", "Noah"});
            }
            for (const auto* const optional :
                 {"Bring a pen.", "Yoga", "50 ", "T-1a2b3c4d", "November"}) {
                if (text.find(optional) != std::string::npos) facts.emplace_back(optional);
            }
            for (const auto& fact : facts) {
                EXPECT_THAT(text, HasSubstr(fact)) << kind << locale;
                EXPECT_THAT(html, HasSubstr(fact)) << kind << locale;
            }
        }
    }
}

TEST(ShippedTemplates, DoWithoutLinkAndUnsubscription) {
    for (const auto& kind : kinds_of(Channel::email)) {
        const auto mail = shipped().render(kind, Channel::email, "", shared_values("en"),
                                           std::vector<std::string>{"name", "starts_at"});
        ASSERT_TRUE(mail) << describe(mail.error());
        EXPECT_THAT(written(*mail, mail->html), Not(HasSubstr("href"))) << kind;
        EXPECT_THAT(written(*mail, mail->text), Not(HasSubstr("Unsubscribe"))) << kind;
        EXPECT_THAT(written(*mail, mail->text), Not(HasSubstr("\n\n\n"))) << kind;
    }
}

TEST(ShippedTemplates, LetAValueDoNoHarm) {
    for (const auto& kind : kinds_of(Channel::email)) {
        for (const auto locale : locales) {
            const auto mail = rendered(kind, Channel::email, locale,
                                       {{"title", "<img src=x onerror=\"a()\">\r\nBcc: x"},
                                        {"link", "https://x/\"><script>"},
                                        {"brand", "{{name}}<b>"}});
            const auto html = written(mail, mail.html);
            EXPECT_THAT(html, Not(HasSubstr("<img"))) << kind;
            EXPECT_THAT(html, Not(HasSubstr("<script"))) << kind;
            EXPECT_THAT(html, HasSubstr("{{name}}&lt;b&gt;")) << kind;
            EXPECT_EQ(written(mail, mail.subject).find_first_of("\r\n"), std::string::npos);
        }
    }
}

TEST(ShippedTemplates, FitTwoSegmentsOfGsm7) {
    for (const auto& kind : kinds_of(Channel::sms)) {
        for (const auto locale : locales) {
            auto values = all_values(locale);
            values["title"].insert(0, "A Rather Long Title: ");
            const auto full = rendered(kind, Channel::sms, locale, values);
            const auto segments = count_segments(written(full, full.text, locale));
            EXPECT_FALSE(segments.unicode) << kind << locale << written(full, full.text, locale);
            EXPECT_LE(segments.count, 2U) << kind << locale;
            const auto least = rendered(kind, Channel::sms, locale);
            EXPECT_EQ(count_segments(written(least, least.text, locale)).count, 1U)
                << kind << locale;
        }
    }
}

}  // namespace
}  // namespace fanfare
