#include "core/reference/compact.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace fanfare {
namespace {

constexpr auto job = "6f1c2b1e-0000-4000-8000-0000000000ff";

std::string reference(const std::string& chunk, const std::string& position,
                      const std::string& tag = "AAAAAAAAAAA") {
    return std::string{job} + "." + chunk + "." + position + "." + tag;
}

TEST(CompactReference, IsAsLongAsWritten) {
    // The uuid by `base64 | tr '+/' '-_'`, then 7 * 2^20 + 12 in 7 digits.
    const auto compact = compact_reference(reference("7", "12", "Zz09-_aBcDe"));
    EXPECT_EQ(compact, "bxwrHgAAQACAAAAAAAAA_wAAAcAAMZz09-_aBcDe");
}

TEST(CompactReference, ComesBackTheSame) {
    std::mt19937_64 random{20260101};  // NOLINT: the same cases in every run.
    const std::string hex = "0123456789abcdef";
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::set<std::string> all;
    for (int round = 0; round < 2000; ++round) {
        std::string whole = "00000000-0000-0000-0000-000000000000";
        for (char& c : whole) {
            if (c != '-') c = hex[random() % hex.size()];
        }
        const auto chunk_bits = random() % 23;
        const auto position_bits = random() % 21;
        whole += "." + std::to_string(random() % (1U << chunk_bits));
        whole += "." + std::to_string(random() % (1U << position_bits)) + ".";
        for (int i = 0; i < 11; ++i) whole.push_back(letters[random() % letters.size()]);
        const auto compact = compact_reference(whole);
        ASSERT_TRUE(compact.has_value()) << whole;
        EXPECT_EQ(compact->size(), compact_reference_size);
        EXPECT_EQ(compact->find_first_not_of(letters), std::string::npos);
        EXPECT_EQ(expand_reference(*compact), whole);
        all.insert(*compact);
    }
    EXPECT_EQ(all.size(), 2000U);
}

TEST(CompactReference, HoldsTheLargestPlaces) {
    const auto largest = reference("4194303", "1048575");
    EXPECT_EQ(expand_reference(compact_reference(largest).value_or("")), largest);
    EXPECT_FALSE(compact_reference(reference("4194304", "0")));
    EXPECT_FALSE(compact_reference(reference("0", "1048576")));
}

TEST(CompactReference, TakesNothingElse) {
    for (const auto& text :
         {std::string{}, std::string{"..."}, std::string{job}, std::string{job} + ".7",
          std::string{job} + ".7.12", reference("07", "12"), reference("+7", "12"),
          reference("", "12"), reference("7", "-1"), reference("7", "12", "AAAAAAAAAA"),
          reference("7", "12", "AAAAAAAAAA."), reference("7", "12", "AAAAAAAAAA+"),
          reference("99999999999", "12"), " " + reference("7", "12"),
          reference("7", "12", "AAAAAAAAAAA.A"),
          std::string{"6F1C2B1E-0000-4000-8000-0000000000FF.7.12.AAAAAAAAAAA"}}) {
        EXPECT_FALSE(compact_reference(text)) << text;
    }
}

TEST(CompactReference, UndoesOnlyWhatItWrote) {
    const auto good = compact_reference(reference("7", "12")).value_or("");
    ASSERT_TRUE(expand_reference(good));
    EXPECT_FALSE(expand_reference(""));
    EXPECT_FALSE(expand_reference(good.substr(1)));
    EXPECT_FALSE(expand_reference(good + "A"));
    for (const char c : std::string{".=+/ \0\xff", 7}) {
        for (const std::size_t at : {0U, 21U, 25U, 39U}) {
            auto bad = good;
            bad[at] = c;
            EXPECT_FALSE(expand_reference(bad)) << at;
        }
    }
    auto other = good;
    other[21] = 'x';  // Bits behind the uuid's last.
    EXPECT_FALSE(expand_reference(other));
}

}  // namespace
}  // namespace fanfare
