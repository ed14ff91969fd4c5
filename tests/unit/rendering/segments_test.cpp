#include "core/rendering/segments.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace fanfare {

void PrintTo(const Segments& segments, std::ostream* out) {
    *out << segments.count << " segments, " << segments.units
         << (segments.unicode ? " UTF-16 units" : " septets");
}

namespace {

std::string repeated(std::size_t count, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

Segments gsm(std::size_t count, std::size_t units) { return {count, false, units}; }
Segments unicode(std::size_t count, std::size_t units) { return {count, true, units}; }

TEST(Segments, KnowEveryCharacterOfTheBasicTable) {
    // One row of the table in 3GPP TS 23.038 a line; the escape (0x1B) stands for no character.
    const std::vector<std::string> characters{
        "@", "£",  "$", "¥", "è", "é", "ù", "ì", "ò", "Ç", "\n", "Ø", "ø", "\r", "Å", "å",
        "Δ", "_",  "Φ", "Γ", "Λ", "Ω", "Π", "Ψ", "Σ", "Θ", "Ξ",  "Æ", "æ", "ß",  "É", " ",
        "!", "\"", "#", "¤", "%", "&", "'", "(", ")", "*", "+",  ",", "-", ".",  "/", "0",
        "1", "2",  "3", "4", "5", "6", "7", "8", "9", ":", ";",  "<", "=", ">",  "?", "¡",
        "A", "B",  "C", "D", "E", "F", "G", "H", "I", "J", "K",  "L", "M", "N",  "O", "P",
        "Q", "R",  "S", "T", "U", "V", "W", "X", "Y", "Z", "Ä",  "Ö", "Ñ", "Ü",  "§", "¿",
        "a", "b",  "c", "d", "e", "f", "g", "h", "i", "j", "k",  "l", "m", "n",  "o", "p",
        "q", "r",  "s", "t", "u", "v", "w", "x", "y", "z", "ä",  "ö", "ñ", "ü",  "à"};
    EXPECT_EQ(characters.size(), 127U);
    for (const auto& character : characters) {
        EXPECT_EQ(count_segments(character), gsm(1, 1)) << character;
    }
}

TEST(Segments, CountExtendedCharactersTwice) {
    for (const char* character : {"\f", "^", "{", "}", "\\", "[", "~", "]", "|", "€"}) {
        EXPECT_EQ(count_segments(character), gsm(1, 2)) << character;
    }
}

TEST(Segments, CountEverythingElseInUtf16) {
    for (const char* character : {"ç", "`", "á", "\t", "”", "–", "漢", "\xE2\x80\xAF"}) {
        EXPECT_EQ(count_segments(character), unicode(1, 1)) << character;
    }
    EXPECT_EQ(count_segments("\U0001F389"), unicode(1, 2));
    EXPECT_EQ(count_segments("Hi \U0001F389{}"), unicode(1, 7)) << "braces are single in UCS-2";
}

TEST(Segments, AreBoundedAtSeptets) {
    EXPECT_EQ(count_segments(""), gsm(0, 0));
    EXPECT_EQ(count_segments(repeated(160, "a")), gsm(1, 160));
    EXPECT_EQ(count_segments(repeated(161, "a")), gsm(2, 161));
    EXPECT_EQ(count_segments(repeated(306, "a")), gsm(2, 306));
    EXPECT_EQ(count_segments(repeated(307, "a")), gsm(3, 307));
    EXPECT_EQ(count_segments(repeated(459, "a")), gsm(3, 459));
    EXPECT_EQ(count_segments(repeated(460, "a")), gsm(4, 460));
}

TEST(Segments, AreBoundedAtUtf16Units) {
    EXPECT_EQ(count_segments(repeated(70, "漢")), unicode(1, 70));
    EXPECT_EQ(count_segments(repeated(71, "漢")), unicode(2, 71));
    EXPECT_EQ(count_segments(repeated(134, "漢")), unicode(2, 134));
    EXPECT_EQ(count_segments(repeated(135, "漢")), unicode(3, 135));
}

TEST(Segments, NeverCutAnEscapePair) {
    EXPECT_EQ(count_segments(repeated(80, "€")), gsm(1, 160));
    // The 153rd septet stays empty in each segment: 76 pairs fit, not 76.5.
    EXPECT_EQ(count_segments(repeated(81, "€")), gsm(2, 162));
    EXPECT_EQ(count_segments(repeated(152, "€")), gsm(2, 304));
    EXPECT_EQ(count_segments(repeated(153, "€")), gsm(3, 306)) << "306 septets, but not in two";
    EXPECT_EQ(count_segments(repeated(152, "a") + "€" + repeated(152, "a")), gsm(3, 306));
    EXPECT_EQ(count_segments(repeated(151, "a") + "€" + repeated(153, "a")), gsm(2, 306));
}

TEST(Segments, NeverCutASurrogatePair) {
    EXPECT_EQ(count_segments(repeated(35, "\U0001F389")), unicode(1, 70));
    EXPECT_EQ(count_segments(repeated(66, "\U0001F389")), unicode(2, 132));
    EXPECT_EQ(count_segments(repeated(67, "\U0001F389")), unicode(3, 134)) << "134, but not in two";
    EXPECT_EQ(count_segments(repeated(66, "x") + "\U0001F389" + repeated(66, "x")),
              unicode(3, 134));
    EXPECT_EQ(count_segments(repeated(65, "x") + "\U0001F389" + repeated(67, "x")),
              unicode(2, 134));
}

TEST(Segments, ReplaceWhatIsNotUtf8) {
    EXPECT_EQ(count_segments("\xFF"), unicode(1, 1));
    EXPECT_EQ(count_segments("abc\xC3"), unicode(1, 4));
}

}  // namespace
}  // namespace fanfare
