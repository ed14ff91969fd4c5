#include "core/audience/clean.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using namespace std::string_literals;

TEST(Clean, DropsWhatNobodySees) {
    EXPECT_EQ(cleaned(" ana@example.com "), "ana@example.com");
    EXPECT_EQ(cleaned("\u00a0ana@example.com\u3000\r\n"), "ana@example.com");
    EXPECT_EQ(cleaned("\ufeffana\u200b@exam\u00adple.com"), "ana@example.com");
    EXPECT_EQ(cleaned("\u202a+4915123456790\u202c"), "+4915123456790");
    EXPECT_EQ(cleaned("\u2068+49 151\u2069"), "+49 151");
    EXPECT_EQ(cleaned(" \u200b\n"), "");
}

TEST(Clean, RefusesControlsWithinAndWhatIsNoText) {
    EXPECT_EQ(cleaned("ana@example.com\nBcc: x@example.com"), std::nullopt);
    EXPECT_EQ(cleaned("ana@example.com\u2028x"), std::nullopt);
    EXPECT_EQ(cleaned("ana\0@example.com"s), std::nullopt);
    EXPECT_EQ(cleaned("ana\xff@example.com"), std::nullopt);
}

TEST(Clean, BringsDomainsToAsciiAndKeepsTheCaseBeforeThem) {
    EXPECT_EQ(with_ascii_domain("Ana@M\u00dcLLER-beispiel.de"), "Ana@xn--mller-beispiel-gsb.de");
    EXPECT_EQ(with_ascii_domain("ana@stra\u00dfe.de"), "ana@xn--strae-oqa.de");
    EXPECT_EQ(with_ascii_domain("ana@\u4f8b\u3048\u3002jp"), "ana@xn--r8jz45g.jp");
    EXPECT_EQ(with_ascii_domain("Ana@Example.COM."), "Ana@example.com");
    EXPECT_EQ(with_ascii_domain("ana@exa mple.com"), std::nullopt);
    EXPECT_EQ(with_ascii_domain("ana@xn--zzzzzz\u00fc.de"), std::nullopt);
    EXPECT_EQ(with_ascii_domain("ana@"), std::nullopt);
    EXPECT_EQ(with_ascii_domain("ana"), std::nullopt);
}

TEST(Clean, ReadsNumbersAsPeopleWriteThem) {
    for (const auto* const text :
         {"+1 (555) 010-0001", "tel:+1-555-010-0001", "TEL:+15550100001;ext=5", "(+1) 555.010.0001",
          "\uff0b1 555\u2011010\u20130001", "+1/555/0100001",
          "\uff0b\uff11\uff15\uff15\uff15\uff10\uff11\uff10\uff10\uff10\uff10\uff11",
          "+\u0661\u0665\u0665\u0665 \u0660\u0661\u0660 \u0660\u0660\u0660\u0661",
          "+\u0967555\u0966100001"}) {
        EXPECT_EQ(bare_number(text), "+15550100001") << text;
    }
    for (const auto* const text : {"not a number", "15550100001", "001555", "+", "", "++1555",
                                   "+1555x5", "tel:", "+1555;ext=5"}) {
        EXPECT_EQ(bare_number(text), std::nullopt) << text;
    }
}

TEST(Clean, KeepsJoinersOnlyWhereDomainsDifferByThem) {
    EXPECT_EQ(with_ascii_domain("a@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com"),
              "a@xn--mgba3gch31f060k.com");
    EXPECT_EQ(with_ascii_domain("a\u200dna@example.com\u200c"), "ana@example.com");
    EXPECT_EQ(bare_number("+1555\u200d0100001"), "+15550100001");
    const std::string persian{"a@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com"};
    EXPECT_EQ(cleaned(" " + persian + "\u200b"), persian);
}

TEST(Clean, FoldsTheWholeAddress) { EXPECT_EQ(folded("Wanda1@Example.com"), "wanda1@example.com"); }

}  // namespace
}  // namespace fanfare
