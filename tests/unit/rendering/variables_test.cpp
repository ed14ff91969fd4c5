#include "core/rendering/variables.hpp"

#include "core/rendering/clean.hpp"
#include "core/rendering/content.hpp"
#include "core/rendering/date_formatter.hpp"
#include "core/rendering/segments.hpp"
#include "core/wire/timestamp.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

TimePoint moment(const char* text) { return parse_time_or_utc(text).value(); }

TEST(MomentForReader, IsInTheLanguageOfTheTextAroundIt) {
    const auto at = moment("2030-01-01T20:00:00Z");
    const auto thai = moment_for_reader(at, "Asia/Bangkok", Channel::sms, "", "th");
    EXPECT_EQ(thai, "January 2, 2030 at 3:00 AM GMT+7");
    const auto arabic = moment_for_reader(at, "Asia/Dubai", Channel::email, "", "ar-AE");
    EXPECT_EQ(arabic, "January 2, 2030 at 12:00 AM GMT+4");
    const auto persian = moment_for_reader(at, "UTC", Channel::email, "de", "fa");
    EXPECT_NE(persian.find("Januar 2030"), std::string::npos) << persian;
}

TEST(MomentForReader, KeepsTheRegionOfItsOwnLanguage) {
    const auto at = moment("2030-01-01T20:00:00Z");
    const auto swiss = moment_for_reader(at, "Europe/Zurich", Channel::email, "de", "de-CH");
    EXPECT_NE(swiss.find("2030"), std::string::npos) << swiss;
    EXPECT_NE(swiss.find("Januar"), std::string::npos) << swiss;
}

TEST(MomentForReader, NeverSpeaksAnotherLanguageThanTheTextBecauseOfAnOddTag) {
    const auto at = moment("2026-12-01T20:00:00Z");
    const auto plain = moment_for_reader(at, "UTC", Channel::email, "fr", "fr");
    EXPECT_NE(plain.find("d\u00e9cembre 2026"), std::string::npos) << plain;
    for (const auto* const tag : {"fr-u-ca-x", "fr-u-ca-buddhist", "fr_!!", "FR-", "fr-x-y",
                                  "fr-t-de", "fr-TH-u-nu-thai", "fr--FR"}) {
        EXPECT_EQ(moment_for_reader(at, "UTC", Channel::email, "fr", tag), plain) << tag;
    }
}

TEST(MomentForReader, StaysWithinGsmInEveryMonth) {
    for (const auto* const locale : {"en", "de", "es", "fr", "it", "pt"}) {
        for (int month = 1; month <= 12; ++month) {
            const auto day = std::chrono::sys_days{std::chrono::year{2027} / month / 9};
            const auto text = moment_for_reader(TimePoint{day}, "UTC", Channel::sms, locale, "");
            EXPECT_FALSE(count_segments(text).unicode) << locale << ": " << text;
        }
    }
}

TEST(SharedVariables, SayDistancesWithinGsmInAnSms) {
    const auto now = moment("2027-03-01T00:00:00Z");
    for (const auto* const locale : {"en", "de", "es", "fr"}) {
        for (const auto minutes : {0, 1, 2, 59, 60, 180, 1'500, 2'880, 14'400}) {
            const std::vector<NamedMoment> moments{
                {"starts_at", now + std::chrono::minutes{minutes}}};
            const auto shared = shared_variables({}, moments, now, Channel::sms, locale);
            EXPECT_FALSE(count_segments(shared.at("starts_in")).unicode)
                << locale << ": " << shared.at("starts_in");
        }
    }
}

TEST(SharedVariables, KeepAccentsWhereNobodyPaysForThem) {
    const auto now = moment("2027-03-01T00:00:00Z");
    const std::vector<NamedMoment> moments{{"starts_at", now + std::chrono::hours{96}}};
    const auto shared = shared_variables({}, moments, now, Channel::email, "es");
    EXPECT_EQ(shared.at("starts_in"), "dentro de 4 días");
}

TEST(PushData, IsTheLinkAndWhatIdentifies) {
    const auto data = push_data({{"link", "https://a"}, {"show_id", "s"}, {"title", "T"}});
    EXPECT_EQ(data, (std::map<std::string, std::string>{{"link", "https://a"}, {"show_id", "s"}}));
}

std::string sms_of(std::string text) {
    fit_sms(text);
    return text;
}

TEST(FitSms, TakesTypographyOutWhereNothingElseDoublesTheText) {
    EXPECT_EQ(sms_of("\u201cIt\u2019s on\u201d \u2013 now\u2026"), "\"It's on\" - now...");
    EXPECT_EQ(sms_of("a\u00a0b\u200bc\ufeff"), "a bc");
    EXPECT_EQ(sms_of("\u200eRock\u200f"), "Rock");
}

TEST(FitSms, HoldsNoMarkThatNobodySees) {
    for (const auto* const mark :
         {"\u200e", "\u200f",     "\u061c",     "\u180e", "\ufff9",     "\ufffa",     "\ufffb",
          "\u034f", "\U000E0041", "\U000E0001", "\ufe0f", "\ufe0e",     "\U000E0100", "\u2061",
          "\u206f", "\u3164",     "\u200d",     "\u00ad", "\U0001D173", "\u180b"}) {
        EXPECT_EQ(sms_of(std::string{"abc"} + mark), "abc") << mark;
        EXPECT_EQ(sms_of(std::string{"a"} + mark + "bc"), "abc") << mark;
    }
}

TEST(FitSms, WritesALetterWithItsAccentAsOneCharacter) {
    EXPECT_EQ(sms_of("Cafe\u0301, nin\u0303o, A\u030angstro\u0308m"),
              "Caf\u00e9, ni\u00f1o, \u00c5ngstr\u00f6m");
    EXPECT_EQ(sms_of("e\u034f\u0301"), "\u00e9") << "whatever stands between the two";
    EXPECT_EQ(sms_of("\u212b \u2126"), "\u00c5 \u03a9");
    EXPECT_EQ(sms_of("\u0417e\u0301"), "\u0417e\u0301") << "UCS-2 in any case";
}

TEST(FitSms, WritesQuotesAndBlanksPlainlyHoweverTheyAreTyped) {
    for (const auto* const quote : {"\u02bc", "\u2019", "\u02bb", "\uff07", "\u2032", "\u02b9"}) {
        EXPECT_EQ(sms_of(std::string{"It"} + quote + "s"), "It's") << quote;
    }
    for (const auto* const blank :
         {"\u00a0", "\u2000", "\u2004", "\u2006", "\u205f", "\u1680", "\u202f", "\u3000", "\t"}) {
        EXPECT_EQ(sms_of(std::string{"a"} + blank + "b"), "a b") << blank;
    }
}

TEST(FitSms, LeavesATextAloneThatIsUnicodeAnyway) {
    const std::string text = "\u201c\u0417\u0434\u0440\u0430\u0432\u201d \U0001F389";
    EXPECT_EQ(sms_of(text), text);
}

std::string cleaned(std::string_view value, PartForm form) {
    std::string out;
    append_clean(value, form, out);
    return out;
}

TEST(CleanValues, SeparateLinesHoweverTheyAreWritten) {
    for (const auto* const separator :
         {"\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u2028", "\u2029"}) {
        const auto text = std::string{"a"} + separator + "b";
        EXPECT_EQ(cleaned(text, PartForm::text), "a\nb");
        EXPECT_EQ(cleaned(text, PartForm::line).find("ab"), std::string::npos);
        EXPECT_FALSE(is_clean_line(text));
    }
}

TEST(CleanValues, HoldNothingThatIsNotSeenOrTurnsTheTextAround) {
    EXPECT_EQ(cleaned("\ufeffa\u202eb\u2066c\u2069\u200bd", PartForm::line), "abcd");
    EXPECT_FALSE(is_clean_line("a\u202eb"));
    // A joiner between emoji and a mark of direction beside Hebrew are people's own.
    EXPECT_TRUE(is_clean_line("\U0001F468\u200d\U0001F469 \u200f\u05d0"));
    for (const auto* const mark :
         {"\u200e", "\u200f", "\u061c", "\u180e", "\ufff9", "\ufffb", "\u034f", "\U000E0041",
          "\u2063", "\u206a", "\u3164", "\uffa0", "\u17b4"}) {
        const auto text = std::string{"abc"} + mark;
        EXPECT_EQ(cleaned(text, PartForm::line), "abc") << mark;
        EXPECT_FALSE(is_clean_line(text)) << mark;
        EXPECT_TRUE(is_nothing(mark)) << mark;
    }
    EXPECT_FALSE(is_nothing(" ")) << "a blank is a value";
}

TEST(CleanValues, KeepWhatChangesWhatIsSeen) {
    for (const auto* const text :
         {"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u2764\ufe0f", "a\u00adb",
          "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F", "\u05d0\u200e!",
          "\u0627\u061c1", "\u845b\U000E0100"}) {
        EXPECT_TRUE(is_clean_line(text)) << text;
        EXPECT_EQ(cleaned(text, PartForm::text), text);
    }
    EXPECT_EQ(cleaned("\U0001F3F4x\U000E0067", PartForm::line), "\U0001F3F4x") << "no flag";
}

}  // namespace
}  // namespace fanfare
