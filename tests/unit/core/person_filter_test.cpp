// Filters of the people of chunks: who is in one is never denied.
#include "core/ledger/person_filter.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace fanfare::ledger {
namespace {

/// As may_hold() asks in SQL.
bool may_hold(const std::string& filter, std::string_view recipient) {
    const auto hash = hash_of_person(recipient);
    const auto bits = static_cast<std::int64_t>(filter.size()) * 8;
    for (int i = 0; i < 7; ++i) {
        const auto bit = (hash.first + i * hash.step) % bits;
        const auto byte = static_cast<unsigned char>(filter[static_cast<std::size_t>(bit / 8)]);
        if ((byte >> (bit % 8) & 1) == 0) return false;
    }
    return true;
}

TEST(PersonFilterTest, HoldsEverybodyAndFewOthers) {
    for (const int size : {1, 2, 7, 25, 1'000}) {
        std::vector<std::string> people;
        for (int i = 0; i < size; ++i) people.push_back(fmt::format("p{:06}", i));
        const std::vector<std::string_view> views(people.begin(), people.end());
        const auto filter = filter_of_people(views);
        EXPECT_LE(filter.size(), static_cast<std::size_t>(size) * 10 / 8 + 1);
        for (const auto view : views) EXPECT_TRUE(may_hold(filter, view)) << view;
        int others = 0;
        for (int i = 0; i < 10'000; ++i) others += may_hold(filter, fmt::format("q{}", i)) ? 1 : 0;
        EXPECT_LT(others, size < 25 ? 1'000 : 300) << size;
    }
}

TEST(PersonFilterTest, IsTheSameForEver) {
    const auto hash = hash_of_person("p000001");
    EXPECT_EQ(hash.first, 536326859);
    EXPECT_EQ(hash.step, 1413207687);
    EXPECT_EQ(hash_of_person("").step % 2, 1);
}

}  // namespace
}  // namespace fanfare::ledger
