#include "core/reference/reference.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace fanfare {
namespace {

constexpr auto job = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";
const Secret key{"0123456789abcdef0123456789abcdef"};

std::string reference_of(const References& references, std::uint32_t chunk, std::size_t position,
                         Channel channel = Channel::email) {
    std::vector<std::string> refs;
    references.write_refs(job, channel, chunk, position + 1, refs);
    return std::string{job} + "." + std::to_string(chunk) + "." + refs.back();
}

TEST(References, AreReadAsTheyWereWritten) {
    const References references{key};
    for (const std::uint32_t chunk : {0U, 1U, 17U, 2'000'000'000U}) {
        for (const std::size_t position : {0U, 1U, 7U, 8U, 9U, 999U, 12'345U}) {
            const auto read =
                references.read(reference_of(references, chunk, position), Channel::email);
            ASSERT_TRUE(read) << chunk << " " << position;
            EXPECT_EQ(*read, (Reference{job, Channel::email, chunk,
                                        static_cast<std::uint32_t>(position)}));
        }
    }
}

TEST(References, AreStableAcrossProgramsWithOneKey) {
    // Links in mails that were sent long ago go on working.
    EXPECT_EQ(reference_of(References{key}, 3, 4), reference_of(References{key}, 3, 4));
    EXPECT_NE(reference_of(References{Secret{std::string(32, 'x')}}, 3, 4),
              reference_of(References{key}, 3, 4));
}

TEST(References, NoTwoPlacesShareATag) {
    const References references{key};
    std::set<std::string> tags;
    for (std::uint32_t chunk = 0; chunk < 4; ++chunk) {
        std::vector<std::string> refs;
        references.write_refs(job, Channel::email, chunk, 1'000, refs);
        for (const auto& ref : refs) tags.insert(ref.substr(ref.find('.') + 1));
    }
    EXPECT_EQ(tags.size(), 4'000U);
}

TEST(References, AnyChangeIsRefused) {
    const References references{key};
    const auto good = reference_of(references, 12, 34);
    ASSERT_TRUE(references.read(good, Channel::email));
    EXPECT_FALSE(references.read(good, Channel::sms)) << "another channel";
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char c : {'0', '1', 'a', 'f', 'A', '.', '-', '\0'}) {
            auto changed = good;
            changed[i] = c;
            if (changed == good) continue;
            EXPECT_FALSE(references.read(changed, Channel::email)) << changed;
        }
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(references.read(good.substr(0, size), Channel::email)) << size;
    }
    EXPECT_FALSE(references.read(good + ".", Channel::email));
    EXPECT_FALSE(references.read(good + "A", Channel::email));
    EXPECT_FALSE(references.read(" " + good, Channel::email));
}

TEST(References, ThePlaceOfAnotherNeedsTheTagOfAnother) {
    const References references{key};
    const auto mine = reference_of(references, 1, 2);
    const auto theirs = reference_of(references, 1, 3);
    const auto forged = theirs.substr(0, theirs.rfind('.')) + mine.substr(mine.rfind('.'));
    EXPECT_FALSE(references.read(forged, Channel::email));
}

TEST(References, WithoutAKeyNothingIsSignedAndNothingBelieved) {
    const References references{Secret{}};
    std::vector<std::string> refs;
    references.write_refs(job, Channel::email, 0, 2, refs);
    EXPECT_EQ(refs, (std::vector<std::string>{"0", "1"}));
    EXPECT_FALSE(references.read(reference_of(References{key}, 0, 0), Channel::email));
}

std::vector<std::string> seals_of(const References& references, std::uint32_t chunk,
                                  const std::vector<MarkedPlace>& places) {
    std::string all;
    references.write_seals(job, chunk, places, all);
    std::vector<std::string> seals;
    for (std::size_t at = 0; at < all.size(); at += seal_characters) {
        seals.push_back(all.substr(at, seal_characters));
    }
    return seals;
}

TEST(Seals, HoldTheMarkOfTheAddress) {
    const References references{key};
    const std::vector<MarkedPlace> places{{0, {'m', 'a', 'r', 'k', '0'}}, {999'999, {'\xff'}}};
    const auto seals = seals_of(references, 3, places);
    ASSERT_EQ(seals.size(), 2U);
    for (std::size_t i = 0; i < places.size(); ++i) {
        EXPECT_EQ(seals[i].size(), 22U);
        const auto mark =
            references.read_seal({job, Channel::email, 3, places[i].position}, seals[i]);
        ASSERT_TRUE(mark);
        EXPECT_EQ(*mark, (std::string{places[i].mark.data(), places[i].mark.size()}));
    }
}

TEST(Seals, AnyOtherIsRefused) {
    const References references{key};
    const auto seal = seals_of(references, 3, {{4, {'m'}}})[0];
    const Reference here{job, Channel::email, 3, 4};
    ASSERT_TRUE(references.read_seal(here, seal));
    EXPECT_FALSE(references.read_seal({job, Channel::email, 3, 5}, seal)) << "another's link";
    EXPECT_FALSE(references.read_seal({job, Channel::email, 2, 4}, seal));
    EXPECT_FALSE(References{Secret{std::string(32, 'x')}}.read_seal(here, seal));
    EXPECT_FALSE(References{Secret{}}.read_seal(here, seal));
    EXPECT_FALSE(references.read_seal(here, ""));
    EXPECT_FALSE(references.read_seal(here, seal + "A"));
    for (std::size_t i = 0; i < seal.size(); ++i) {
        auto changed = seal;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(references.read_seal(here, changed)) << i;
    }
}

TEST(Seals, SayNothingOfWhoIsTheSame) {
    const References references{key};
    const auto seals = seals_of(references, 3, {{4, {'m'}}, {5, {'m'}}});
    EXPECT_NE(seals[0], seals[1]);
    EXPECT_NE(seals[0], seals_of(references, 4, {{4, {'m'}}})[0]);
    EXPECT_TRUE(seals_of(References{Secret{}}, 3, {{4, {'m'}}}).empty()) << "no key, no seal";
}

}  // namespace
}  // namespace fanfare
